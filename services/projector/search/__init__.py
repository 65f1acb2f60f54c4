"""Tables that folders are searched in."""
