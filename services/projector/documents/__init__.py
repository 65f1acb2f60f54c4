"""Tables of documents and folders."""
