"""E-mails and web pages saved as messages: their parts, as blocks."""
