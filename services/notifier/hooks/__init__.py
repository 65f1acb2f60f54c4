"""Hooks: a job's own webhook."""
