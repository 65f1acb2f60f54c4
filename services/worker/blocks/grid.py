"""The grid of a table whose cells may cover several places. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from schemas.blocks import Cell

MAX_PLACES: Final = 2_000_000
"""Places that spans may cover in one table; from there on a cell covers its first place alone."""

Grid = list[list[Cell | None]]


def grid(rows: Sequence[Sequence[Cell]]) -> Grid:
    """Return the table with each cell in its first place and None where there is none or another cell covers.

    Cells take the next free place of their row (HTML, 4.9.12.1). All rows get the same length. A column in which no
    cell begins is left out, as a span over columns that nothing else divides makes it.
    """
    placed: list[dict[int, Cell]] = []
    covered: list[set[int]] = [set() for _ in rows]
    left = MAX_PLACES
    for number, row in enumerate(rows):
        here: dict[int, Cell] = {}
        column = 0
        for cell in row:
            while column in covered[number]:
                column += 1
            here[column] = cell
            height = min(cell.rows, len(rows) - number)
            left -= height * cell.columns
            if left < 0:
                column += 1
                continue
            for lower in range(number + 1, number + height):
                covered[lower].update(range(column, column + cell.columns))
            column += cell.columns
        placed.append(here)
    used = sorted({column for here in placed for column in here})
    return [_line(here, used, len(used) * len(placed) <= MAX_PLACES) for here in placed]


def _line(here: dict[int, Cell], used: list[int], padded: bool) -> list[Cell | None]:
    """Return a row; one of a table with too many places is not padded at its end."""
    end = len(used) if padded else bisect_right(used, max(here, default=-1))
    return [here.get(column) for column in used[:end]]
