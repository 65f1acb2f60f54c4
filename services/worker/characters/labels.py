"""What the label of an encoding means: the WHATWG Encoding Standard, 4.2. Pure."""

import codecs
from typing import Final

import webencodings

NOT_OF_TEXTS: Final = frozenset({"punycode", "idna", "unicode-escape", "raw-unicode-escape"})
"""Codecs of Python that no text is in. Reading a text as punycode takes quadratic time."""
WIDER: Final = {"gbk": "gb18030"}
"""Codecs that the standard reads by a wider one."""
NOT_READ_AS_NAMED: Final = {"x-user-defined": "cp1252"}


def codec_of(label: str) -> str | None:
    """Return the Python codec for a label; None for an unknown one.

    The standard's table comes first: `iso-8859-1` is windows-1252, `gb2312` gb18030, `ks_c_5601-1987` windows-949.
    Labels that it lacks, such as `cp850`, are those of Python.
    """
    found = webencodings.lookup(label)
    if found is not None and found.name != "replacement":
        codec: str = NOT_READ_AS_NAMED.get(found.name, found.codec_info.name)
        return WIDER.get(codec, codec)
    try:
        info = codecs.lookup(label.strip())
        "".encode(info.name)  # LookupError for a codec between bytes and bytes
    except (LookupError, ValueError):  # ValueError: a label with NUL
        return None
    return None if info.name in NOT_OF_TEXTS else info.name
