# ruff: noqa: RUF001 - letters and signs of many languages
"""A guess at the encoding of a text that declares none and is not UTF-8. Pure."""

import re
from typing import Final

SAMPLE: Final = 65_536
"""Bytes that a guess looks at, of the lines with letters that are not ASCII."""
HIGH: Final = re.compile(rb"[\x80-\xff]+")
BESIDE_ASCII: Final = re.compile(rb"[A-Za-z][\x80-\xff]{1,2}(?![\x80-\xff])|(?<![\x80-\xff])[\x80-\xff]{1,2}[A-Za-z]")
HEBREW: Final = re.compile(rb"[\xe0-\xfa]")
NOT_HEBREW: Final = re.compile(rb"[\xc0-\xdf\xfb-\xff]")
SEVEN_BIT: Final = re.compile(rb"\x1b\$(?:[@B]|\)C)")
COMMON: Final = {
    "cp1252": "äöüßéèêëàâáíîïìóôòúùûçñãõåæøœÄÖÜÉÈÀÂÁÇÑÅÆØŒ’‘“”„‚–—…€«»°§£©®¿¡ºª·×½¼²³´†•™‹›\xa0",
    "cp1250": "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽőűŐŰăâîşţđäöüßÄÖÜŕôë’“”„‚–—…€«°§©®·×´•™\xa0",
    "cp1254": "ğışİĞŞçöüÇÖÜâîû’‘“”–—…€«»°§©®·•™\xa0",
    "iso8859_2": "ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽőűŐŰăâîşţđäöüßÄÖÜŕôë\xa0",
}
"""The letters and signs that are common in texts of each encoding of Latin letters; the first of equals is taken."""
OTHERS: Final = (
    *("cp1251", "koi8_r", "cp866", "cp1253", "cp1256", "cp874"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
FALLBACK: Final = "cp1252"
"""The most common encoding that is not Unicode."""
MOSTLY: Final = 0.5
FEWEST_LETTERS: Final = 8
"""Bytes of Hebrew letters from which on they are taken for such."""


def marked_within(content: bytes) -> str:
    """Return the encoding that bytes within a text give away although it may be valid UTF-8; empty for most texts.

    That are the encodings in seven bits, by their escape sequences (RFC 1468, RFC 1557), and UTF-16 without a mark.
    """
    if found := SEVEN_BIT.search(content):
        return "iso2022_kr" if found[0].endswith(b"C") else "iso2022_jp"
    return _without_mark(content) if b"\0" in content else ""


def guess(content: bytes) -> str:
    """Return the codec that a text is most likely in; FALLBACK without a sign of any."""
    sample = _sample(content)
    high = len(b"".join(HIGH.findall(sample)))
    if not high:
        return FALLBACK
    if sum(len(found) - 1 for found in BESIDE_ASCII.findall(sample)) > MOSTLY * high:
        return _latin(sample)
    if high >= FEWEST_LETTERS and _is_hebrew(sample):
        return "cp1255"
    return _other(sample) or _latin(sample)


def _without_mark(content: bytes) -> str:
    """Return UTF-16 if every second byte is mostly zero, as in text with blanks and digits; empty if not."""
    start = content[: 2 * SAMPLE]
    for first, codec in ((1, "utf-16-le"), (0, "utf-16-be")):
        half, other = start[first::2], start[1 - first :: 2]
        if half and half.count(0) > MOSTLY * len(half) and not other.count(0):
            return codec
    return ""


def _sample(content: bytes) -> bytes:
    lines: list[bytes] = []
    left = SAMPLE
    for line in content[: 64 * SAMPLE].splitlines():
        if HIGH.search(line):
            lines.append(line[:left])
            left -= len(lines[-1])
            if left <= 0:
                break
    return b"\n".join(lines)


def _latin(sample: bytes) -> str:
    """Return the encoding of Latin letters in which most letters of the sample are common ones."""

    def common(codec: str) -> int:
        return sum(char in COMMON[codec] for char in sample.decode(codec, "replace") if char > "\x7f")

    return max(COMMON, key=common)


def _is_hebrew(sample: bytes) -> bool:
    return not NOT_HEBREW.search(sample) and len(HEBREW.findall(sample)) >= FEWEST_LETTERS


def _other(sample: bytes) -> str:
    from charset_normalizer import from_bytes  # its import takes a while

    best = from_bytes(sample, cp_isolation=[*OTHERS]).best()
    return best.encoding if best is not None and best.encoding in OTHERS else ""
