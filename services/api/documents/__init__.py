"""Documents: taken in, read, read again, removed."""
