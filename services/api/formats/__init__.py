"""The formats that an extraction reads, and those that it refuses."""
