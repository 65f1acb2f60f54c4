"""The sweep of the blob store: what it sees, what counts as proof, and the deletion."""
