"""The cells of a sheet as tables, without empty rows and columns; merged cells keep their places. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from schemas.blocks import Block, BlockKind, Cell, Span
from services.worker.office.sheets.cells import Grid
from services.worker.office.sheets.references import Place

GAP: Final = 2
"""Empty rows after which another table begins."""
MAX_COVERED: Final = 1_000_000
"""Places that merged cells may cover in a sheet; from there on a merged cell has its first place alone."""
EMPTY: Final = Cell()


def sheet_tables(grid: Grid, links: dict[Place, str]) -> Iterator[Block]:
    """Yield the tables of a sheet from top to bottom. `links` are the addresses of cells."""
    shared: dict[str, Cell] = {}
    for rows in _groups(sorted(grid.rows)):
        yield Block(BlockKind.TABLE, rows=tuple(_rows(grid, rows, links, shared)))


def _groups(rows: Sequence[int]) -> Iterator[list[int]]:
    group: list[int] = []
    for row in rows:
        if group and row - group[-1] > GAP:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _rows(grid: Grid, rows: list[int], links: dict[Place, str], shared: dict[str, Cell]) -> Iterator[tuple[Cell, ...]]:
    columns = sorted({column for row in rows for column in grid.rows[row]})
    spans, covered = _merged(grid, rows, columns)
    for row in rows:
        cells = grid.rows[row]
        end = bisect_right(columns, max(cells))
        yield tuple(
            _cell(cells.get(column, ""), links.get(Place(row, column), ""), spans.get(Place(row, column)), shared)
            for column in columns[:end]
            if Place(row, column) not in covered
        )


def _cell(text: str, link: str, span: tuple[int, int] | None, shared: dict[str, Cell]) -> Cell:
    """Return a cell; equal ones are shared, since a sheet may have millions."""
    if link or span:
        height, width = span or (1, 1)
        return Cell((Span(text, link=link),) if text else (), columns=width, rows=height)
    if not text:
        return EMPTY
    if text not in shared:
        shared[text] = Cell((Span(text),))
    return shared[text]


def _merged(grid: Grid, rows: list[int], columns: list[int]) -> tuple[dict[Place, tuple[int, int]], set[Place]]:
    """Return the height and width of merged cells in rows and columns that are shown, and the places they cover.

    A cell that covers one with another text is read as if they were not merged.
    """
    spans: dict[Place, tuple[int, int]] = {}
    covered: set[Place] = set()
    for first, last in grid.merged:
        inner_rows = rows[bisect_left(rows, first.row) : bisect_right(rows, last.row)]
        inner_columns = columns[bisect_left(columns, first.column) : bisect_right(columns, last.column)]
        size = len(inner_rows) * len(inner_columns)
        if size < 2 or len(covered) + size > MAX_COVERED:
            continue
        if (inner_rows[0], inner_columns[0]) != first or first in covered:
            continue
        inner = {Place(row, column) for row in inner_rows for column in inner_columns} - {first}
        if any(place.column in grid.rows[place.row] for place in inner):
            continue
        spans[first] = (len(inner_rows), len(inner_columns))
        covered |= inner
    return spans, covered
