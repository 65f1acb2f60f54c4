"""Outgoing webhooks: the address guard, one POST, headers and signatures. Retries are the notifier's policy."""
