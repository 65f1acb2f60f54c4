"""The test suite. Each folder says what it needs: unit nothing, conformance and the rest a real Kafka and Postgres."""
