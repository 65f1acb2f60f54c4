"""The `extraction` job."""
