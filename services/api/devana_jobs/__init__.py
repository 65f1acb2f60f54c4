"""Jobs as clients of the Devana API know them."""
