"""The process manager: reads the log, runs the jobs that are due, appends the resulting facts."""
