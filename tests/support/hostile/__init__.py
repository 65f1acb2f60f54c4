"""Requests with hostile values in every field that the OpenAPI document names."""
