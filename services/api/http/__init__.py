"""HTTP itself: server, gate, callers, bodies, forms, answers and errors. Knows no job."""
