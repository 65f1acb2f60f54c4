"""Pages of a PDF: their text, their size, and how they are drawn."""
