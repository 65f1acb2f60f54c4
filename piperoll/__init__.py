"""Piperoll's kernel: the log, the fold, blobs, settings. Knows no job type, no route, no table of a service."""
