"""The OpenAPI document: its grammar and examples, and the page that shows it."""
