"""The tables of the search in folders."""
