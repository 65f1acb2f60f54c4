"""The environment of a run: its workspace, its cache, its errors."""
