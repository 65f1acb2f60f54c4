"""Folders of documents, and the search in them."""
