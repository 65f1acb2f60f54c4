"""Texts in the charset that a server or a page declares. Pure."""

import codecs
from typing import Final

NOT_OF_TEXTS: Final = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape"})
"""Codecs of Python that no page is in. Reading a text as punycode takes quadratic time."""


def decoded(content: bytes, charset: str, errors: str = "strict") -> str:
    """Return the text of bytes. Raises LookupError for an unknown charset, ValueError for one that does not fit."""
    if codecs.lookup(charset).name in NOT_OF_TEXTS:
        raise LookupError(f"no text is in {charset}")
    return content.decode(charset, errors)
