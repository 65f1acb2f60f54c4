"""`piperoll seal`: new sealing keys, and sealing again what older ones sealed."""
