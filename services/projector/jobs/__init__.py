"""Tables of jobs, batches and events."""
