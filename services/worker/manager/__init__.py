"""The process manager: reads the log, runs what is due, appends what came of it."""
