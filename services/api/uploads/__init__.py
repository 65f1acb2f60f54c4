"""Uploads that jobs name."""
