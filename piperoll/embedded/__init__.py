"""Kafka, Postgres and the four services on one machine, for trials, development and tests.

Starts, watches and stops local processes. Production does not use it.
"""
