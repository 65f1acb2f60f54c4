"""Cells and ranges by their references, such as `B3` and `A1:C2`. Pure."""

import re
from typing import Final, NamedTuple

CELL: Final = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")
IN_FORMULA: Final = re.compile(
    r"(?P<kept>\"[^\"]*\"|'[^']*')|(?<![A-Za-z0-9_.$])(\$?)([A-Z]{1,3})(\$?)(\d{1,7})(?![A-Za-z0-9_(.!])"
)
MAX_COLUMN: Final = 16_384
MAX_ROW: Final = 1_048_576


class Place(NamedTuple):
    """A cell by its row and column, both from 1."""

    row: int
    column: int


class Area(NamedTuple):
    """A range of cells, its corners included."""

    first: Place
    last: Place


def place_of(reference: str) -> Place | None:
    """Return the place of a cell, None for another text."""
    found = CELL.fullmatch(reference)
    if not found:
        return None
    place = Place(int(found[2]), column_of(found[1]))
    return place if 1 <= place.row <= MAX_ROW and place.column <= MAX_COLUMN else None


def area_of(reference: str) -> Area | None:
    """Return the range of a reference."""
    first, _, last = reference.partition(":")
    one, other = place_of(first), place_of(last or first)
    if one is None or other is None or other < one:
        return None
    return Area(one, other)


def column_of(letters: str) -> int:
    """Return the number of a column: 1 for A, 27 for AA."""
    column = 0
    for letter in letters.upper():
        column = column * 26 + ord(letter) - 64
    return column


def letters_of(column: int) -> str:
    """Return the letters of a column."""
    letters = ""
    while column > 0:
        column, letter = divmod(column - 1, 26)
        letters = chr(65 + letter) + letters
    return letters


def moved(formula: str, source: Place, target: Place) -> str:
    """Return a formula of one cell as it reads in another one: references without `$` move along."""

    def shifted(found: re.Match[str]) -> str:
        if found["kept"]:
            return found[0]
        _, fixed_column, letters, fixed_row, row = found.groups()
        column = column_of(letters) + (0 if fixed_column else target.column - source.column)
        line = int(row) + (0 if fixed_row else target.row - source.row)
        return f"{fixed_column}{letters_of(column)}{fixed_row}{line}" if column > 0 < line else "#REF!"

    return IN_FORMULA.sub(shifted, formula)
