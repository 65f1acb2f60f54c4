"""The structure of PDF pages: what PyMuPDF's layout models find on a page, as blocks."""
