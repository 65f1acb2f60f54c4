"""Web pages, chapters of books and the HTML that other readers make, as blocks. Pure."""
