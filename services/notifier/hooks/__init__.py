"""Hooks: the webhooks of jobs."""
