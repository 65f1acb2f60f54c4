"""Kafka, Postgres and the four services as local processes, for trials, development and tests. Not for production."""
