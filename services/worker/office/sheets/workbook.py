"""A workbook: its sheets in their order, each as blocks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from schemas.blocks import Block, BlockKind, block
from services.worker.office.names import child, children, full, value
from services.worker.office.package import DamagedPartError, Package, Part, require_root
from services.worker.office.sheets.beside import comment_blocks, drawing_blocks, person_names, printed_blocks
from services.worker.office.sheets.cells import Book, Grid, SheetReader
from services.worker.office.sheets.styles import Budget, formats_of, shared_texts
from services.worker.office.sheets.tables import sheet_tables

USUAL: Final = "xl/workbook.xml"
SHEET_LEVEL: Final = 2
"""The level of the heading that names a sheet."""
ON: Final = ("1", "true")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet by its name; `part` is None for one that the file lacks."""

    name: str
    part: Part | None


class Workbook:
    """An open workbook. Raises DamagedPartError for a file without one."""

    def __init__(self, package: Package, take: Budget) -> None:
        self._package = package
        self._part = package.main(USUAL)
        root = require_root(self._part, "s:workbook")
        self._entries = list(children(child(root, "s:sheets"), "s:sheet"))
        self._since_1904 = value(root, "s:workbookPr", attribute="date1904") in ON
        self._take = take
        self._book: Book | None = None
        self._persons: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def sheet(self, number: int) -> Sheet:
        """Return a sheet by its number from 1. One that is missing or hidden is noted."""
        entry = self._entries[number - 1]
        name = entry.get("name") or f"Sheet {number}"
        if entry.get("state") in ("hidden", "veryHidden"):
            self._package.notes.add(f"The sheet {name} is hidden in the workbook.")
        try:
            return Sheet(name, self._part.related(entry.get(full("r:id"))))
        except DamagedPartError:
            self._package.notes.add(f"The sheet {name} is missing in the file.")
            return Sheet(name, None)

    def blocks(self, sheet: Sheet) -> Iterator[Block]:
        """Yield the name of a sheet, its tables, and what it shows beside them."""
        yield block(BlockKind.HEADING, sheet.name, SHEET_LEVEL)
        if sheet.part is None:
            return
        place = f"the sheet {sheet.name}"
        notes = self._package.notes
        with notes.isolating(f"The sheet {sheet.name}"):
            grid = self._grid(sheet.part, place)
            links = {cell: sheet.part.link(relation) for cell, relation in grid.links.items()}
            yield from printed_blocks(grid, BlockKind.PAGE_HEADER)
            yield from sheet_tables(grid, links)
            yield from drawing_blocks(sheet.part, grid, place)
            yield from comment_blocks(sheet.part, self._persons, place)
            yield from printed_blocks(grid, BlockKind.PAGE_FOOTER)

    def _grid(self, part: Part, place: str) -> Grid:
        if self._book is None:  # once, and not before the number of sheets has been checked
            self._book = Book(shared_texts(self._part), formats_of(self._part), self._since_1904)
            self._persons = person_names(self._part)
        grid = SheetReader(self._book, self._take).read(self._package.read(part.name))
        notes = self._package.notes
        if grid.uncached:
            notes.add(
                f"Formulas without a stored result on {place}: {grid.uncached:,}. The formulas themselves are given; a "
                "program that calculates, such as Excel, stores the results when it saves the file."
            )
        if not grid.whole:
            notes.add(f"The XML of {place} is damaged; some of it may be missing.")
        if grid.unread:
            notes.add(f"Cells on {place} that were not read: {grid.unread:,}.")
        return grid
