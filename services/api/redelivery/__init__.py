"""Webhooks sent again on request."""
