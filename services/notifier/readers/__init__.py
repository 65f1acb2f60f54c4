"""Readers of the topics: each folds records into the queues."""
