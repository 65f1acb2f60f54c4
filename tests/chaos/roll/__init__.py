"""A rolling restart: every process is stopped by SIGTERM and started again, in turn, under steady load."""
