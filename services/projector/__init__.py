"""Folds the log into the tables that the API reads. Decides nothing, and calls nobody but the blob store."""
