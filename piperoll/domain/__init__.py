"""The pure core: what the facts mean. No clock, no I/O, no settings."""
