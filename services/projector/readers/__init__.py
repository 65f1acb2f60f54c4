"""Reads the topics into the tables, and keeps positions."""
