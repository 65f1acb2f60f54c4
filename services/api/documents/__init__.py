"""Documents: added, read, extracted again, removed."""
