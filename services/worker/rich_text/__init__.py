"""Rich Text documents (RTF 1.9.1) as blocks."""
