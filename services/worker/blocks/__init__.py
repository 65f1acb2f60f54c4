"""Blocks written as text, Markdown, HTML and JSON, and compared with their source. Readers are elsewhere."""
