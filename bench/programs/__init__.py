"""Processes beside the system: load generator, webhook receiver, download client, and the comparison programs."""
