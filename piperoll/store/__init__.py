"""The blob store: claim check, segments, and the names of blobs."""
