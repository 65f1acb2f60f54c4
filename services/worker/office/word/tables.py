"""Tables of Word (ISO/IEC 29500-1, 17.4): cells with the places that they cover."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from schemas.blocks import Block, BlockKind, Cell
from services.worker.office.names import child, content, is_on, name_of, number, value
from services.worker.office.spans import Spans, lines, lines_of

Read = Callable[[Any], Iterator[Block]]
"""Reads what a cell holds."""
MAX_SPAN: Final = 1000
LIFTED: Final = frozenset({BlockKind.COMMENT, BlockKind.PICTURE})
"""Blocks of a cell that stand behind the table."""


@dataclass(slots=True)
class _Open:
    """A cell in the making: where it begins, what it covers, and its text."""

    column: int
    columns: int
    rows: int
    spans: Spans
    header: bool

    def cell(self) -> Cell:
        return Cell(self.spans, self.columns, self.rows, self.header)


def table_blocks(table: Any, read: Read) -> Iterator[Block]:
    """Yield a table and, behind it, the comments of its cells. A table of one cell is a frame: it gives its content."""
    rows = [row for row in _inner(table, "w:tr") if child(row, "w:trPr", "w:del") is None]
    cells = [list(_inner(row, "w:tc")) for row in rows]
    if len(rows) == 1 and len(cells[0]) == 1:
        yield from read(cells[0][0])
        return
    lifted: list[Block] = []
    table_rows = _rows(rows, cells, read, lifted)
    if any(cell.text.strip() for row in table_rows for cell in row):
        yield Block(BlockKind.TABLE, rows=table_rows)
    yield from lifted


def _rows(rows: list[Any], cells: list[list[Any]], read: Read, lifted: list[Block]) -> tuple[tuple[Cell, ...], ...]:
    above: dict[int, _Open] = {}
    made: list[list[_Open]] = []
    for row, row_cells in zip(rows, cells, strict=True):
        here = _row(row, row_cells, read, lifted, above)
        made.append(here)
    return tuple(tuple(cell.cell() for cell in row) for row in made)


def _row(row: Any, cells: list[Any], read: Read, lifted: list[Block], above: dict[int, _Open]) -> list[_Open]:
    header = is_on(row, "w:trPr", "w:tblHeader")
    before = min(number(value(row, "w:trPr", "w:gridBefore")), MAX_SPAN)
    here = [_Open(0, before, 1, (), header)] if before > 0 else []
    column = max(before, 0)
    below: dict[int, _Open] = {}
    for cell in cells:
        columns = min(max(number(value(cell, "w:tcPr", "w:gridSpan"), 1), 1), MAX_SPAN)
        spans = _spans(cell, read, lifted)
        upper = above.get(column)
        if upper is not None and _continues(cell, "w:vMerge"):
            upper.rows += 1
            upper.spans = lines([upper.spans, spans])
            below[column] = upper
        elif here and _continues(cell, "w:hMerge"):
            here[-1].columns += columns
            here[-1].spans = lines([here[-1].spans, spans])
        else:
            here.append(_Open(column, columns, 1, spans, header))
            if child(cell, "w:tcPr", "w:vMerge") is not None:
                below[column] = here[-1]
        column += columns
    above.clear()
    above.update(below)
    return here


def _continues(cell: Any, name: str) -> bool:
    """Whether a cell belongs to the one above or before it: the default of a merge without a value (17.4.84)."""
    properties = child(cell, "w:tcPr", name)
    return properties is not None and value(properties) in (None, "continue")


def _spans(cell: Any, read: Read, lifted: list[Block]) -> Spans:
    texts: list[Spans] = []
    for block in read(cell):
        if block.kind in LIFTED:
            lifted.append(block)
        else:
            texts.extend(lines_of(block))
    return lines(texts)


def _inner(element: Any, name: str) -> Iterator[Any]:
    """Yield rows or cells, through what wraps them; tables within cells are not entered."""
    for inner in content(element):
        found = name_of(inner)
        if found == name:
            yield inner
        elif found not in ("w:tc", "w:p", "w:tbl", "w:del", "w:moveFrom") and not found.endswith("Pr"):
            yield from _inner(inner, name)
