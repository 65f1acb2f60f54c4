"""A real Kafka, a real Postgres and the four services on one machine, for trying, developing and testing.

Here lives what starts, watches and stops local processes. No topic, table, route or job type is known here,
and nothing here is needed where Kafka and Postgres are run by others.
"""
