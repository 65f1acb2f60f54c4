"""Deletion of content: erasure, and the sweep of the blob store."""
