"""The read model as requests read it: rows, the contents of their claims, and waiting for the projector."""
