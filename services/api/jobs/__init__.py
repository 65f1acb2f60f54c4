"""Jobs: created, read, listed, followed, cancelled, restarted and erased."""
