"""What a run is given: its workspace, its cache, its errors."""
