"""Sessions of the page, by a cookie, and one-time links to one."""
