"""Notices: what registered endpoints get."""
