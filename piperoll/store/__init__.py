"""The blob store: content by claim check, small documents in segments, names."""
