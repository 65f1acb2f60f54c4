"""Downloads of a job's url, from allowed addresses only."""
