"""The one error of the embedded stack: a sentence for whoever started it."""


class StackError(Exception):
    """Something keeps the stack from running; the message says what it is, and what to do about it."""
