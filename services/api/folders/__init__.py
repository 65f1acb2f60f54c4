"""Folders of documents, and search in them."""
