"""Folds the log into the tables that the API reads. Decides nothing, and calls no service but the blob store."""
