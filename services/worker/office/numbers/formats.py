"""A number as a format shows it. Pure.

What depends on the country of the reader is written in one way: dates of the formats that follow the system as ISO
8601, names of months and days in English, numbers with a point. Where a cell would be too narrow for a whole number, it
is written with all its digits.
"""

import math
import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from services.worker.office.numbers.dates import date_shown
from services.worker.office.numbers.digits import digits_shown, fraction_shown, scientific_shown
from services.worker.office.numbers.sections import Section, Token, sections_of

CONDITIONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}
DIGITS: Final = 10
GENERAL: Final = Section((Token("general", ""),))
WIDE: Final = 1e11
TINY: Final = 1e-4
BUILT_IN: Final[Mapping[int, str]] = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "$#,##0;-$#,##0", 6: "$#,##0;-$#,##0", 7: "$#,##0.00;-$#,##0.00",
    8: "$#,##0.00;-$#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 14: "yyyy-mm-dd",
    15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss",
    22: "yyyy-mm-dd h:mm", 37: "#,##0 ;(#,##0)", 38: "#,##0 ;(#,##0)", 39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;(#,##0.00)", 41: "#,##0;-#,##0;-", 42: "$#,##0;-$#,##0;-", 43: "#,##0.00;-#,##0.00;-",
    44: "$#,##0.00;-$#,##0.00;-", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip
"""The formats that have numbers alone (18.8.30). 14 and 22 follow the system's country: here they are ISO 8601."""
DAYS_OF_ASIA: Final = frozenset({27, 28, 29, 30, 31, 34, 35, 36, *range(50, 59)})
TIMES_OF_ASIA: Final = frozenset({32, 33})
"""Formats of dates and times whose form depends on the language (18.8.30)."""


def code_of(format_id: int, own: Mapping[int, str]) -> str:
    """Return the code of a format by its number; `own` are those of the file. Unknown ones are General."""
    if format_id in own:
        return own[format_id]
    if format_id in DAYS_OF_ASIA:
        return "yyyy-mm-dd"
    return "h:mm:ss" if format_id in TIMES_OF_ASIA else BUILT_IN.get(format_id, "")


def shown_number(stored: str, code: str, *, since_1904: bool = False) -> str:
    """Return a stored number as its format shows it; another text as it stands.

    A number that its format hides, such as `;;;`, is written without a format. `since_1904`: days count from 1904
    (18.17.4.1).
    """
    try:
        number = float(stored)
    except ValueError:
        return stored
    if not math.isfinite(number):
        return stored
    if not code or code.lower() == "general":
        return general(number)
    sections = sections_of(code)
    section, shown = _section(sections, number)
    if section.is_date:
        text = date_shown(section, shown, since_1904)
        return general(number) if text is None else text.strip()
    return " ".join(_written(section, shown).split()) or general(number)


def shown_text(text: str, code: str) -> str:
    """Return a text as its format shows it: only a fourth section, or a single one with `@`, changes it."""
    if "@" not in code:
        return text
    sections = sections_of(code)
    section = sections[3] if len(sections) > 3 else sections[-1]
    if not section.has("at"):
        return text
    return "".join(text if token.kind == "at" else token.text for token in section.tokens)


def general(number: float) -> str:
    """Return a number without a format: a whole one with all its digits, up to 15; others with 10 digits, as cells do.

    Numbers below 0.0001 that need more digits, and those from 1e11 on, are written with an exponent.
    """
    size = abs(number)
    if number == int(number) and size < 1e15:
        return str(int(number))
    if size >= WIDE:
        return _with_exponent(f"{number:.14e}" if number == int(number) else f"{number:.5e}")
    places = DIGITS - len(str(int(size)))
    fixed = f"{Decimal(repr(number)):.{max(places, 0)}f}".rstrip("0").rstrip(".")
    if size < TINY and float(fixed) != number:
        return _with_exponent(f"{number:.5e}")
    return fixed


def _with_exponent(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}E{int(exponent):+03d}"


def _section(sections: tuple[Section, ...], number: float) -> tuple[Section, float]:
    """Return the section that applies, and the number it shows: without sign where the section is for negatives."""
    if any(section.condition for section in sections[:2]):
        return _by_condition(sections, number)
    numeric = sections[:3]
    if number < 0 and len(numeric) > 1:
        return numeric[1], -number
    if number == 0 and len(numeric) > 2:
        return numeric[2], number
    return numeric[0], number


def _by_condition(sections: tuple[Section, ...], number: float) -> tuple[Section, float]:
    """Return the first section whose condition holds; one without a condition takes what is left, else General does.

    The sign is left out where the condition takes negative numbers alone.
    """
    for place, section in enumerate(sections[:3]):
        sign, limit = section.condition or (("<", 0.0) if place == 1 < len(sections[:3]) - 1 else ("", 0.0))
        if not sign or CONDITIONS[sign](number, limit):
            below_zero = sign in ("<", "<=") and limit <= 0 and place > 0
            return section, abs(number) if below_zero else number
    return GENERAL, number


def _written(section: Section, number: float) -> str:
    if section.has("general"):
        return "".join(general(number) if token.kind == "general" else token.text for token in section.tokens)
    if section.has("at") and not section.has("digit"):
        return "".join(general(number) if token.kind == "at" else token.text for token in section.tokens)
    if not section.has("digit"):
        sign = "-" if number < 0 and section.tokens else ""
        return sign + "".join(token.text for token in section.tokens)
    if section.has("exponent"):
        return scientific_shown(section.tokens, number)
    if _is_fraction(section.tokens):
        return fraction_shown(section.tokens, number)
    return digits_shown(section.tokens, _exact(number))


def _is_fraction(tokens: tuple[Token, ...]) -> bool:
    kinds = [token.kind for token in tokens]
    return "slash" in kinds and "digit" in kinds[: kinds.index("slash")]


def _exact(number: float) -> Decimal:
    """Return the number for rounding: by its 15 digits, as Excel does, so that 2.675 becomes 2.68."""
    return Decimal(f"{number:.15g}")
