"""The read model as requests read it: rows, the content they lead to, and waiting for the projector."""
