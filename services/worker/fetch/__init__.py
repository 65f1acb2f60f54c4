"""Downloads of what a job's url leads to, from guarded addresses."""
