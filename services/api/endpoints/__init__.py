"""Registered endpoints of webhooks."""
