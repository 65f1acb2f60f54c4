"""The checkpoints of the worker's readers: loaded at the assignment, written periodically and at the revocation."""
