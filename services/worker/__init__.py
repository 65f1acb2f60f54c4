"""The worker: does the work. A process manager over the log; it serves no request and touches no table."""
