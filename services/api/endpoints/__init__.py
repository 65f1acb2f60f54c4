"""Registered endpoints."""
