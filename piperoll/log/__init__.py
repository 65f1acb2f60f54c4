"""The log: what is appended here is what happened. Kafka in production, memory in tests, one contract."""
