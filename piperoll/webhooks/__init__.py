"""Outgoing webhooks: the address guard, one POST, headers and signatures.

Used by the notifier for deliveries and by the API for webhook tests. Retries are the notifier's policy.
"""
