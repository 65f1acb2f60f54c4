"""The error of the embedded stack."""


class StackError(Exception):
    """The stack cannot run; the message names the cause and what to do."""
