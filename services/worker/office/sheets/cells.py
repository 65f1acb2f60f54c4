"""The cells of a sheet as it shows them, read in one pass (ISO/IEC 29500-1, 18.3.1)."""

import re
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

from lxml import etree

from services.worker.office.names import full, name_of, number
from services.worker.office.numbers.formats import shown_number, shown_text
from services.worker.office.package import STRICT, DamagedPartError
from services.worker.office.sheets.references import Area, Place, area_of, moved, place_of
from services.worker.office.sheets.styles import Budget, text_of, unescaped

READ: Final = tuple(
    full(f"s:{name}")
    for name in ("row", "mergeCell", "hyperlink", "drawing", "legacyDrawing", "oddHeader", "oddFooter", "evenHeader",
                 "evenFooter", "firstHeader", "firstFooter")
)  # fmt: skip
ROW: Final = full("s:row")
VALUE: Final = full("s:v")
FORMULA: Final = full("s:f")
INLINE: Final = full("s:is")
RELATION: Final = full("r:id")
STORED: Final = re.compile(rb"<(?:\w{1,20}:)?(?:v|is)(?:\s[^<>]*+)?>")
SHEETS: Final = ("}worksheet", "}chartsheet", "}dialogsheet", "}macrosheet")
"""How the roots of sheets end; macro sheets have another namespace (MS-OFFMACRO2, 2.2.1.4)."""
GENERAL: Final = ("", "general")
TEXTS: Final = ("str", "s", "inlineStr")
"""Types of cells whose stored result may be empty."""


@dataclass(frozen=True, slots=True)
class Book:
    """What the cells of all sheets need: shared texts, number formats, and whether days count from 1904."""

    texts: list[str]
    formats: list[str]
    since_1904: bool


@dataclass(slots=True)
class Grid:
    """What a sheet holds: texts by row and column, merged ranges, links, and what leads to other parts."""

    rows: dict[int, dict[int, str]] = field(default_factory=dict)
    merged: list[Area] = field(default_factory=list)
    links: dict[Place, str] = field(default_factory=dict)
    drawings: list[str] = field(default_factory=list)
    legacy: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    uncached: int = 0
    """Formulas whose result is not stored."""
    unread: int = 0
    """Cells that were stored and not read."""
    whole: bool = True


class SheetReader:
    """Reads the cells of one sheet."""

    def __init__(self, book: Book, take: Budget) -> None:
        self._book = book
        self._take = take
        self._grid = Grid()
        self._stored = 0
        self._row = 0
        self._shared: dict[str, tuple[str, Place]] = {}

    def read(self, content: bytes) -> Grid:
        """Return what the XML of a sheet holds; of a damaged one what stands before the fault."""
        if b"purl.oclc.org/ooxml" in content:
            content = STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/\2", content)
        walk = etree.iterparse(
            BytesIO(content), tag=READ, resolve_entities=False, no_network=True, load_dtd=False, recover=True,
            remove_comments=True, remove_pis=True,
        )  # fmt: skip
        for _, element in walk:
            if element.tag == ROW:
                self._read_row(element)
                _release(element)
            else:
                self._read_other(element)
        if walk.root is None or not walk.root.tag.endswith(SHEETS):
            raise DamagedPartError("no sheet")
        self._grid.whole = len(walk.error_log) == 0
        self._grid.unread = max(len(STORED.findall(content)) - self._stored, 0)
        return self._grid

    def _read_row(self, row: Any) -> None:
        self._row = number(row.get("r")) or self._row + 1
        cells: dict[int, str] = {}
        column = 0
        for cell in row:
            reference = cell.get("r")
            place = place_of(reference) if reference else None
            column = place.column if place else column + 1
            text = self._text(cell, Place(self._row, column))
            if text:
                cells[column] = text
        self._take(max(column, 1), sum(map(len, cells.values())))
        if cells:
            self._grid.rows.setdefault(self._row, {}).update(cells)

    def _read_other(self, element: Any) -> None:
        match name_of(element):
            case "s:mergeCell":
                area = area_of(element.get("ref", ""))
                if area:
                    self._grid.merged.append(area)
            case "s:hyperlink":
                area = area_of(element.get("ref", ""))
                if area and element.get(RELATION):
                    self._grid.links[area.first] = element.get(RELATION)
            case "s:drawing":
                self._grid.drawings.append(element.get(RELATION, ""))
            case "s:legacyDrawing":
                self._grid.legacy.append(element.get(RELATION, ""))
            case name:
                self._grid.headers.append((name.removeprefix("s:"), element.text or ""))

    def _text(self, cell: Any, place: Place) -> str:
        """Return what a cell shows."""
        kind = cell.get("t", "n")
        inline = cell.find(INLINE)
        stored = cell.find(VALUE)
        self._stored += (inline is not None) + (stored is not None)
        if inline is not None and kind == "inlineStr":
            return self._formatted(text_of(inline), cell).strip()
        if stored is None or not (stored.text or kind in TEXTS):
            return self._formula(cell.find(FORMULA), place)
        return self._value(stored.text or "", kind, cell).strip()

    def _value(self, stored: str, kind: str, cell: Any) -> str:
        match kind:
            case "s":
                place = number(stored, -1)
                known = self._book.texts
                return self._formatted(known[place], cell) if 0 <= place < len(known) else ""
            case "str" | "inlineStr":
                return self._formatted(unescaped(stored), cell)
            case "b":
                return "TRUE" if stored.strip() in ("1", "true") else "FALSE"
            case "e":
                return stored
            case "d":
                return stored.removesuffix("T00:00:00").replace("T", " ")
        code = self._code(cell)
        if code.lower() in GENERAL and stored.isdigit() and len(stored) < 16:
            return stored.lstrip("0") or "0"
        return shown_number(stored.strip(), code, since_1904=self._book.since_1904) if stored.strip() else ""

    def _formatted(self, text: str, cell: Any) -> str:
        code = self._code(cell)
        return shown_text(text, code) if code and text else text

    def _code(self, cell: Any) -> str:
        style = number(cell.get("s"))
        formats = self._book.formats
        return formats[style] if 0 <= style < len(formats) else ""

    def _formula(self, formula: Any, place: Place) -> str:
        """Return a formula without a stored result as it is written; one that is shared moved to its cell."""
        if formula is None:
            return ""
        text = (formula.text or "").strip()
        shared = formula.get("si") if formula.get("t") == "shared" else None
        if shared is not None and text:
            self._shared[shared] = (text, place)
        elif shared in self._shared:
            source, origin = self._shared[shared]
            text = moved(source, origin, place)
        if not text:
            return ""
        self._grid.uncached += 1
        return f"={text}"


def _release(row: Any) -> None:
    """Free a row that has been read, and what stands before it."""
    row.clear()
    while row.getprevious() is not None:
        del row.getparent()[0]
