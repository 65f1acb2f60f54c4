"""Notices: the webhooks of registered endpoints."""
