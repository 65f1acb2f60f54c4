"""Child processes: the pool, the protocol, and the child's own side of it."""
