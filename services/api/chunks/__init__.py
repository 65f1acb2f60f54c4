"""Texts and documents as chunks."""
