"""Trials of webhooks."""
