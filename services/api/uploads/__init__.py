"""Uploaded files that jobs refer to."""
