"""Delivery: what is due, to whom, when again, and what came of it. Serves hooks and notices alike."""
