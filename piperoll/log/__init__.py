"""The append-only log in Kafka: producers, consumers, topics, dead letters."""
