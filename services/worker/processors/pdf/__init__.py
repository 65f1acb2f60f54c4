"""The `pdf` job."""
