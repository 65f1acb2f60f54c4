"""Endpoints that wrap one job in one request."""
