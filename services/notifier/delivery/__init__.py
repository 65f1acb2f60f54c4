"""What hooks and notices have in common: what is due when, attempts, retries, outcomes."""
