"""Pages of a PDF: text, size and rendering."""
