"""The one error of the embedded stack: a sentence for whoever started it."""


class StackError(Exception):
    """Something on this machine keeps the stack from running; the message says what, and what to do about it."""
