"""Tables of a page: their grid, or their content where they only lay it out. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from schemas.blocks import Block, BlockKind, Cell, Span
from services.worker.blocks.lists import BULLETS

MAX_COLUMNS: Final = 1_000  # HTML, 4.9.11
MAX_ROWS: Final = 65_534
LAYOUT_ROLES: Final = frozenset({"presentation", "none"})


@dataclass(slots=True)
class OpenCell:
    """A cell that was read: its blocks, and the places that it covers. `rows` 0: all below in its group of rows."""

    blocks: list[Block]
    columns: int
    rows: int
    header: bool


@dataclass(slots=True)
class OpenTable:
    """A table while it is read. `groups` has the number of the group of each row, which spans do not leave."""

    role: str = ""
    group: int = 0
    rows: list[list[OpenCell]] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)

    def begin_row(self) -> None:
        """Begin a row of the current group."""
        self.rows.append([])
        self.groups.append(self.group)

    def add(self, blocks: list[Block], columns: str, rows: str, header: bool) -> None:
        """Add a cell to the last row, with the texts of its attributes `colspan` and `rowspan`."""
        if not self.rows:
            self.begin_row()
        covered = max(1, min(span_of(columns, 1), MAX_COLUMNS))
        self.rows[-1].append(OpenCell(blocks, covered, min(span_of(rows, 1), MAX_ROWS), header))

    def blocks(self) -> Iterator[Block]:
        """Yield the table; for one that lays out other tables, or has one cell, what its cells hold."""
        cells = [cell for row in self.rows for cell in row]
        nested = any(block.kind is BlockKind.TABLE for cell in cells for block in cell.blocks)
        if nested or len(cells) < 2 or self.role in LAYOUT_ROLES:
            for cell in cells:
                yield from cell.blocks
        elif any(cell.blocks for cell in cells):
            yield Block(BlockKind.TABLE, rows=tuple(self._rows()))

    def _rows(self) -> Iterator[tuple[Cell, ...]]:
        below = self._rows_below()
        spans = any(cell.rows != 1 for row in self.rows for cell in row)
        for row, left in zip(self.rows, below, strict=True):
            if row or spans:
                yield tuple(_cell(cell, left) for cell in row)

    def _rows_below(self) -> list[int]:
        """Return for each row how many there are from it to the end of its group."""
        below: list[int] = []
        for number in reversed(range(len(self.groups))):
            same = number + 1 < len(self.groups) and self.groups[number + 1] == self.groups[number]
            below.append(below[-1] + 1 if same else 1)
        return below[::-1]


def span_of(text: str, default: int) -> int:
    """Return the number of an attribute; the default if it is none."""
    digits = text.strip()
    return int(digits[:6]) if digits.isascii() and digits.isdigit() else default


def _cell(cell: OpenCell, below: int) -> Cell:
    return Cell(_spans(cell.blocks), cell.columns, min(cell.rows or below, below), cell.header)


def _spans(blocks: list[Block]) -> tuple[Span, ...]:
    """Return the text of a cell, a line for each of its blocks."""
    spans: list[Span] = []
    for block in blocks:
        if spans:
            spans.append(Span("\n"))
        if block.marker not in BULLETS and block.kind is BlockKind.LIST_ITEM:
            spans.append(Span(f"{block.marker} "))
        spans.extend(block.spans)
    return tuple(spans)
