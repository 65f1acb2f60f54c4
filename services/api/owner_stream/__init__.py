"""The stream of all changes of an owner's jobs and batches."""
