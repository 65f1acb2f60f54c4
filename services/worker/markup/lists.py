"""Lists of a page: the markers of their items. Pure."""

import re
from dataclasses import dataclass
from typing import Final

NUMBER: Final = re.compile(r"\s*(-?[0-9]{1,9})")
ROMAN: Final = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
MAX_ROMAN: Final = 3_999


@dataclass(slots=True)
class OpenList:
    """A list while it is read: whether it counts, its style (HTML, 4.4.5) and the number of its next item."""

    counts: bool = False
    style: str = "1"
    next: int = 1

    @classmethod
    def of(cls, tag: str, style: str, start: str) -> "OpenList":
        """Build it from the attributes of its element."""
        return cls(tag == "ol", style or "1", number_of(start, 1))

    def marker(self, value: str) -> str:
        """Return the marker of the next item, whose attribute `value` may set the count."""
        if not self.counts:
            return "-"
        number = number_of(value, self.next)
        self.next = number + 1
        return f"{numeral(number, self.style)}."


def number_of(text: str, default: int) -> int:
    """Return the whole number at the start of an attribute; the default without one."""
    found = NUMBER.match(text)
    return int(found[1]) if found else default


def numeral(number: int, style: str) -> str:
    """Return a number in a style: `1`, `a`, `A`, `i` or `I`."""
    if number < 1 or style.lower() not in ("a", "i") or (style in "iI" and number > MAX_ROMAN):
        return str(number)
    text = _letters(number) if style in "aA" else _roman(number)
    return text.upper() if style.isupper() else text


def _letters(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number - 1, 26)
        text = chr(ord("a") + digit) + text
    return text


def _roman(number: int) -> str:
    text = ""
    for value, letters in ROMAN:
        count, number = divmod(number, value)
        text += letters * count
    return text
