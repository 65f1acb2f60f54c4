"""The facts in Kafka, for subscribers: decoded, and without those that do not count. Needs the extra `kafka`."""
