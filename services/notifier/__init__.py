"""Sends webhooks about each job, from the log, through a delivery queue."""
