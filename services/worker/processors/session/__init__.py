"""The `session` job."""
