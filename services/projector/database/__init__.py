"""The read model's tables and the connection to them."""
