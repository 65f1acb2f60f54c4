"""Jobs as the Devana API shows them."""
