"""The removal of documents and folders."""
