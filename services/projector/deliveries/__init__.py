"""The table of deliveries."""
