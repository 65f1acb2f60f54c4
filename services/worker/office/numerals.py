"""Numbers of headings, clauses and list items in the numerals that Office writes. Pure."""

from collections.abc import Callable, Mapping
from typing import Final

ROMAN: Final = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
    (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip
DIGITS: Final = "〇一二三四五六七八九"
LIMIT: Final = 100_000
"""Numbers beyond are written in digits: a file may start a list anywhere."""


def numeral(number: int, style: str) -> str:
    """Return a number in a style of ST_NumberFormat (ISO/IEC 29500-1, 17.18.59); in digits for other styles."""
    write = STYLES.get(style)
    return str(number) if write is None or not 0 < number < LIMIT else write(number)


def _letters(number: int) -> str:
    """Return a, b … z, aa, bb … (17.18.59)."""
    return chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 50)


def _roman(number: int) -> str:
    written = ""
    for size, letters in ROMAN:
        count, number = divmod(number, size)
        written += letters * min(count, 20)
    return written


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _chinese(number: int) -> str:
    """Return 一 to 九十九; larger numbers digit by digit."""
    if number >= 100:
        return "".join(DIGITS[int(digit)] for digit in str(number))
    tens, ones = divmod(number, 10)
    return (DIGITS[tens] if tens > 1 else "") + ("十" if tens else "") + (DIGITS[ones] if ones else "")


def _circled(number: int) -> str:
    return chr(0x2460 + number - 1) if number <= 20 else f"({number})"


STYLES: Final[Mapping[str, Callable[[int], str]]] = {
    "decimalZero": lambda number: f"{number:02}",
    "lowerLetter": _letters,
    "upperLetter": lambda number: _letters(number).upper(),
    "lowerRoman": lambda number: _roman(number).lower(),
    "upperRoman": _roman,
    "ordinal": _ordinal,
    "chineseCounting": _chinese,
    "chineseCountingThousand": _chinese,
    "japaneseCounting": _chinese,
    "ideographDigital": _chinese,
    "taiwaneseCounting": _chinese,
    "decimalEnclosedCircle": _circled,
    "decimalEnclosedCircleChinese": _circled,
}
