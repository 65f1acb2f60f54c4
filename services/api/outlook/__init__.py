"""How long jobs take here: what was measured, the queue, and when open jobs will end."""
