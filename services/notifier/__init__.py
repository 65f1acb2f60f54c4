"""Tells the caller: webhooks about each job, from the log, through a delivery queue of its own."""
