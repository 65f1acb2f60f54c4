"""Numbers by placeholders of digits: `#,##0.00`, `0.00E+00`, `# ?/?` (ISO/IEC 29500-1, 18.8.31). Pure."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from itertools import takewhile
from typing import Final

from services.worker.office.numbers.sections import Token

MAX_DENOMINATOR: Final = 9999
MAX_PLACES: Final = 127
"""Decimal places that are written."""


def digits_shown(tokens: Sequence[Token], number: Decimal) -> str:
    """Return a number by placeholders: percent multiplies by 100, commas at the end divide by 1000."""
    tokens = [token for token in tokens if token.kind != "fill"]
    point = next((place for place, token in enumerate(tokens) if token.kind == "point"), len(tokens))
    scaled = number.scaleb(2 * sum(token.kind == "percent" for token in tokens) - 3 * _thousands(tokens))
    places = min(sum(token.kind == "digit" for token in tokens[point:]), MAX_PLACES)
    whole, _, fraction = _rounded(abs(scaled), places).partition(".")
    negative = number < 0 and (whole.strip("0") or fraction.strip("0"))
    written = _whole(tokens[:point], whole.lstrip("0")) + _fraction(tokens[point:], fraction)
    return ("-" if negative else "") + written


def _thousands(tokens: Sequence[Token]) -> int:
    """Return the number of commas behind the last placeholder or before the point, each of which divides by 1000."""
    last = max((place for place, token in enumerate(tokens) if token.kind == "digit"), default=-1)
    point = next((place for place, token in enumerate(tokens[: last + 1]) if token.kind == "point"), 0)
    return sum(
        1
        for piece in (tokens[last + 1 :], tokens[:point][::-1])
        for _ in takewhile(lambda token: token.kind == "group", piece)
    )


def _rounded(number: Decimal, places: int) -> str:
    with localcontext() as context:
        context.prec = 400 + MAX_PLACES
        return f"{number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP):f}"


def _whole(tokens: Sequence[Token], digits: str) -> str:
    """Return the part before the point: digits from the right; the first placeholder takes all that are left."""
    holders = [place for place, token in enumerate(tokens) if token.kind == "digit"]
    grouped = bool(holders) and any(
        token.kind == "group" and holders[0] < place < holders[-1] for place, token in enumerate(tokens)
    )
    written: list[str] = []
    count = 0
    left = digits
    for place in range(len(tokens) - 1, -1, -1):
        token = tokens[place]
        if token.kind == "group":
            continue
        if token.kind != "digit":
            written.append(token.text)
            continue
        first = place == holders[0]
        taken = list(reversed(left)) if first else list(left[-1:])
        left = "" if first else left[:-1]
        if not taken and token.text != "#":
            taken = ["0" if token.text == "0" else " "]
        for digit in taken:
            if grouped and count and count % 3 == 0 and digit != " ":
                written.append(",")
            written.append(digit)
            count += 1
    if not holders and digits:
        written.insert(0, digits[::-1])
    return "".join(reversed(written))


def _fraction(tokens: Sequence[Token], digits: str) -> str:
    """Return the point and what follows it; `#` and `?` write no zeros at the end."""
    written: list[str] = []
    place = 0
    significant = len(digits.rstrip("0"))
    for token in tokens:
        if token.kind == "digit":
            digit = digits[place] if place < len(digits) else "0"
            written.append(digit if token.text == "0" or place < significant else " " if token.text == "?" else "")
            place += 1
        elif token.kind != "group":
            written.append(token.text)
    return "".join(written)


def scientific_shown(tokens: Sequence[Token], number: float) -> str:
    """Return a number with an exponent, whose step is the number of placeholders before the point."""
    cut = next(place for place, token in enumerate(tokens) if token.kind == "exponent")
    mantissa, exponent = tokens[:cut], tokens[cut + 1 :]
    point = next((place for place, token in enumerate(mantissa) if token.kind == "point"), len(mantissa))
    step = max(sum(token.kind == "digit" for token in mantissa[:point]), 1)
    places = sum(token.kind == "digit" for token in mantissa[point:])
    value = abs(Decimal(f"{number:.15g}"))
    power = 0 if value == 0 else _power(value, step, places)
    mark = tokens[cut].text
    sign = "-" if power < 0 else mark[1].strip("-")
    shown = digits_shown(mantissa, value.scaleb(-power))
    digits = digits_shown(exponent, Decimal(abs(power))) or "0"
    return f"{'-' if number < 0 else ''}{shown}{mark[0]}{sign}{digits}"


def _power(value: Decimal, step: int, places: int) -> int:
    """Return the exponent, a multiple of `step`; rounding may lift a number over the next power."""
    power = value.adjusted() // step * step
    rounded = Decimal(_rounded(value.scaleb(-power), min(places, MAX_PLACES)))
    return power + step if rounded.adjusted() >= step else power


def fraction_shown(tokens: Sequence[Token], number: float) -> str:
    """Return a number as a fraction, such as `2 1/3`."""
    slash = next(place for place, token in enumerate(tokens) if token.kind == "slash")
    before = [token for token in tokens[:slash] if token.kind == "digit"]
    mixed = any(token.text == " " for token in tokens[:slash] if token.kind == "text") and len(before) > 1
    fixed, digits = _denominator(tokens[slash + 1 :])
    exact = Fraction(str(Decimal(f"{abs(number):.15g}")))
    found = (
        Fraction(round(exact * fixed), fixed)
        if fixed
        else exact.limit_denominator(min(10**digits - 1, MAX_DENOMINATOR))
    )
    whole, rest = divmod(found, 1) if mixed else (0, found)
    above, below = (rest * fixed, fixed) if fixed else (rest.numerator, rest.denominator)
    start, end = _around(tokens)
    sign = "-" if number < 0 and found else ""
    if mixed and not rest:
        return f"{sign}{start}{whole}{end}"
    return f"{sign}{start}{f'{whole} ' if whole else ''}{above}/{below}{end}"


def _around(tokens: Sequence[Token]) -> tuple[str, str]:
    """Return the texts before and behind a fraction."""
    digits = [place for place, token in enumerate(tokens) if token.kind == "digit" or token.text.isdigit()]
    start = "".join(token.text for token in tokens[: digits[0]] if token.kind == "text")
    return start, "".join(token.text for token in tokens[digits[-1] + 1 :] if token.kind == "text")


def _denominator(tokens: Sequence[Token]) -> tuple[int, int]:
    """Return a fixed denominator, or 0 and the number of its digits."""
    written = ""
    for token in tokens:
        if token.kind == "digit" or (token.kind == "text" and token.text.isdigit()):
            written += token.text
        elif written:
            break
    digits = "".join(sign for sign in written if sign.isdigit())
    return (int(digits) if digits.strip("0") else 0), max(len(written), 1)
