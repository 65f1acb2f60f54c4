"""The OpenAPI document: how it is written down, and the page that shows it."""
