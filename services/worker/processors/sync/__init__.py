"""The `sync` job."""
