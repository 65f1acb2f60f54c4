"""Common to hooks and notices: due times, attempts, retries, outcomes."""
