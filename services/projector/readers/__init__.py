"""Readers of the topics into the tables, and their positions."""
