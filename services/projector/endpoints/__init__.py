"""The table of registered endpoints."""
