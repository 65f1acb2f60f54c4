"""The log as requests use it: facts appended, and where the log ends."""
