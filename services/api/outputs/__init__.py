"""What jobs made: single files, ranges of them, and archives."""
