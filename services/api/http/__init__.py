"""HTTP itself: server, gate, callers, bodies, forms, answers and errors. Nothing here depends on jobs."""
