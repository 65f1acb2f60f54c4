"""The content of an OpenDocument file as blocks: a walk that looks through all elements that it does not know.

The depth of XML is bounded by its parser, and so is the recursion.
"""

import posixpath
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from schemas.blocks import Block, BlockKind, Cell, Span
from services.worker.office.notes import NoteList
from services.worker.office.numerals import numeral
from services.worker.office.spans import Spans, joined, lines, lines_of, plain
from services.worker.opendocument.names import attribute, below, name_of, number
from services.worker.opendocument.styles import StyleSheet

UNSHOWN: Final = frozenset(
    {"text:tracked-changes", "text:ruby-text", "office:forms", "office:event-listeners", "text:sequence-decls",
     "text:variable-decls", "text:user-field-decls", "office:scripts", "office:font-face-decls", "math:annotation",
     "office:automatic-styles", "presentation:date-time-decl", "table:calculation-settings", "text:note-citation",
     "svg:title", "svg:desc", "table:covered-table-cell", "text:meta-field-decls"}
)  # fmt: skip
"""What is not shown, or read elsewhere; above all text that was deleted."""
PARAGRAPHS: Final = frozenset({"text:p", "text:h"})
APART: Final = frozenset(
    {"text:note", "office:annotation", "draw:frame", "draw:custom-shape", "table:table", "text:list"}
)
"""What stands in the middle of a paragraph and is read behind it."""
SHAPE: Final = "draw:"
NUMERALS: Final = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
VALUES: Final = tuple(f"office:{kind}value" for kind in ("string-", "date-", "time-", "boolean-", ""))
"""What a cell holds where it does not show it in a paragraph."""
WEB: Final = ("http:", "https:", "mailto:", "tel:")
MAX_BLANKS: Final = 1000
MAX_OBJECTS: Final = 5
"""Objects within one another."""
MAX_EMBEDDED: Final = 10_000
"""Objects that are read of one file, each time that one is shown."""
THE_FILE: Final = "."

Take = Callable[[int, int], None]
"""Counts cells and their characters; raises ProcessingError beyond the limit."""
Embedded = Callable[[str], Any]
"""Returns the root of an embedded object's content by its address, None where it has none."""


class ContentReader:
    """Reads elements of one file."""

    def __init__(self, styles: StyleSheet, notes: NoteList, take: Take, embedded: Embedded) -> None:
        self._styles = styles
        self._notes = notes
        self._take = take
        self._embedded = embedded
        self._open = [THE_FILE]  # addresses of the objects that are being read, the outermost first
        self._objects = 0
        self._lists: list[tuple[str, int]] = []  # of each open list its style, and the number of its last item
        self._title = False

    def blocks(self, element: Any) -> list[Block]:
        """Return the blocks of an element."""
        name = name_of(element)
        if name in UNSHOWN or not isinstance(element.tag, str):
            return []
        read = READERS.get(name) or (ContentReader.frame if name.startswith(SHAPE) else None)
        if read is not None:
            return read(self, element)
        return [found for inner in element for found in self.blocks(inner)]

    # --- paragraphs ---------------------------------------------------------------------------------------------

    def paragraph(self, element: Any) -> list[Block]:
        """Return a paragraph or heading, and behind it what stands in it apart."""
        spans, apart = self._inline(element)
        style = attribute(element, "text:style-name")
        found: list[Block] = []
        if any(span.text.strip() for span in spans):
            if name_of(element) == "text:h":
                level = min(number(element, "text:outline-level"), 6)
                found.append(Block(BlockKind.HEADING, plain(spans), level))
            elif self._title or self._styles.is_title(style):
                found.append(Block(BlockKind.HEADING, plain(spans), 1))
            else:
                found.append(Block(BlockKind.PARAGRAPH, spans))
        for one in apart:
            found += self.blocks(one)
        return found

    def _inline(self, element: Any) -> tuple[Spans, list[Any]]:
        """Return the text of a paragraph, and the elements that stand apart."""
        spans: list[Span] = []
        apart: list[Any] = []
        self._pieces(element, Span(""), spans, apart)
        return joined(spans), apart

    def _pieces(self, element: Any, style: Span, spans: list[Span], apart: list[Any]) -> None:
        spans.append(replace(style, text=_blanks(element.text)))
        for inner in element:
            name = name_of(inner)
            if name in APART or name.startswith(SHAPE):
                apart.append(inner)
            elif name == "text:s":
                spans.append(replace(style, text=" " * min(number(inner, "text:c"), MAX_BLANKS)))
            elif name == "text:tab":
                spans.append(replace(style, text="\t"))
            elif name == "text:line-break":
                spans.append(replace(style, text="\n"))
            elif isinstance(inner.tag, str) and name not in UNSHOWN:
                self._pieces(inner, self._styled(inner, name, style), spans, apart)
            spans.append(replace(style, text=_blanks(inner.tail)))

    def _styled(self, element: Any, name: str, style: Span) -> Span:
        if name == "text:a":
            address = attribute(element, "xlink:href")
            return replace(style, link=address) if address.startswith(WEB) else style
        look = self._styles.look(attribute(element, "text:style-name")) if name == "text:span" else None
        if look is None:
            return style
        return replace(
            style,
            bold=style.bold if look.bold is None else look.bold,
            italic=style.italic if look.italic is None else look.italic,
            strike=style.strike if look.strike is None else look.strike,
        )

    # --- lists --------------------------------------------------------------------------------------------------

    def listed(self, element: Any) -> list[Block]:
        """Return the items of a list; a heading in a list keeps its level, with its number before it."""
        style = attribute(element, "text:style-name") or (self._lists[-1][0] if self._lists else "")
        level = len(self._lists) + 1
        form = self._styles.list_level(style, level)
        self._lists.append((style, (form.start if form else 1) - 1))
        found: list[Block] = []
        for item in element:
            if name_of(item) == "text:list-item":
                last = number(item, "text:start-value", self._lists[-1][1] + 1)
                self._lists[-1] = (style, last)
                found += self._item(item, level, self._marker(style, level, last))
            else:
                found += self.blocks(item)
        self._lists.pop()
        return found

    def _marker(self, style: str, level: int, count: int) -> str:
        form = self._styles.list_level(style, level)
        if form is None:
            return "-"
        after = form.after or ("" if form.before else ".")
        return f"{form.before}{numeral(count, NUMERALS.get(form.numerals, ''))}{after}"

    def _item(self, item: Any, level: int, marker: str) -> list[Block]:
        found: list[Block] = []
        begun = False
        for inner in item:
            for one in self.blocks(inner):
                if one.kind is BlockKind.PARAGRAPH and name_of(inner) in PARAGRAPHS and not begun:
                    found.append(Block(BlockKind.LIST_ITEM, one.spans, level, marker))
                    begun = True
                elif one.kind is BlockKind.PARAGRAPH and found and _is_item(found[-1], level):
                    found[-1] = replace(found[-1], spans=lines((found[-1].spans, one.spans)))
                else:
                    found.append(one)
        return found

    # --- notes, comments, shapes --------------------------------------------------------------------------------

    def note(self, element: Any) -> list[Block]:
        """Return a footnote or endnote."""
        return self._gathered(element, BlockKind.NOTE)

    def comment(self, element: Any) -> list[Block]:
        """Return a comment, with its author before it."""
        author = next(("".join(one.itertext()) for one in element if name_of(one) == "dc:creator"), "")
        found = self._gathered(element, BlockKind.COMMENT)
        if not author or not found:
            return found
        return [replace(found[0], spans=joined((Span(f"{author}: "), *found[0].spans)))]

    def _gathered(self, element: Any, kind: BlockKind) -> list[Block]:
        inner = [one for part in element if name_of(part) not in ("dc:creator", "dc:date") for one in self.blocks(part)]
        spans = lines([line for one in inner for line in lines_of(one)])
        return [Block(kind, spans)] if spans else []

    def frame(self, element: Any) -> list[Block]:
        """Return a frame or shape: its texts, and the words that describe it."""
        found: list[Block] = []
        with self._notes.isolating("A frame or an object in the file"):
            before, self._title = self._title, self._title or attribute(element, "presentation:class") == "title"
            try:
                found = [one for inner in element for one in self.blocks(inner)]
            finally:
                self._title = before
            for inner in element:
                words = " ".join("".join(inner.itertext()).split())
                if name_of(inner) in ("svg:title", "svg:desc") and words:
                    found.append(Block(BlockKind.PICTURE, (Span(words),)))
        return found

    def embedded(self, element: Any) -> list[Block]:
        """Return the words of an embedded object, such as a chart or a formula."""
        if len(element):
            return [found for inner in element for found in self.blocks(inner)]
        address = posixpath.normpath(attribute(element, "xlink:href"))
        root = self._embedded(address) if self._may_open(address) else None
        if root is None:
            self._notes.add("An embedded object was not read.")
            return []
        self._objects += 1
        self._open.append(address)
        try:
            found = self.blocks(root)
        finally:
            self._open.pop()
        self._take(0, sum(len(one.text) for one in found))
        return found

    def _may_open(self, address: str) -> bool:
        """Whether an object is read: it does not hold itself, and there are not too many."""
        return address not in self._open and len(self._open) <= MAX_OBJECTS and self._objects < MAX_EMBEDDED

    def formula(self, element: Any) -> list[Block]:
        """Return the letters of a formula."""
        kept = (one for one in element.iter() if isinstance(one.tag, str) and name_of(one) != "math:annotation")
        words = " ".join(" ".join(one.text.split()) for one in kept if one.text and one.text.strip())
        return [Block(BlockKind.FORMULA, (Span(words),))] if words else []

    def notes_page(self, element: Any) -> list[Block]:
        """Return the notes of a speaker."""
        return self._gathered(element, BlockKind.NOTE)

    # --- tables -------------------------------------------------------------------------------------------------

    def table(self, element: Any) -> list[Block]:
        """Return a table, and behind it the comments and shapes that stand in its cells."""
        rows: list[tuple[Cell, ...]] = []
        apart: list[Block] = []
        for row in _own(element, "table:table-row"):
            cells = self._row(row, apart)
            repeated = number(row, "table:number-rows-repeated")
            if any(_counts(cell) for cell in cells):
                size = sum(len(cell.text) for cell in cells)
                self._take(len(cells) * (repeated - 1), size * (repeated - 1))
                rows += [cells] * repeated
            elif repeated == 1:
                rows.append(cells)
        while rows and not any(cell.text for cell in rows[-1]):
            rows.pop()
        for shapes in element:
            if name_of(shapes) == "table:shapes":
                apart += self.blocks(shapes)
        head = [Block(BlockKind.TABLE, rows=_marked(element, rows))] if rows else []
        return [*head, *apart]

    def _row(self, row: Any, apart: list[Block]) -> tuple[Cell, ...]:
        """Return the cells of a row without its empty rest, which may be thousands in several runs."""
        runs: list[tuple[Cell, int]] = []
        for element in row:
            if name_of(element) == "table:table-cell":
                runs.append((self._cell(element, apart), number(element, "table:number-columns-repeated")))
        while runs and not _counts(runs[-1][0]):
            runs.pop()
        cells: list[Cell] = []
        for cell, repeated in runs:
            self._take(repeated, repeated * len(cell.text))
            cells += [cell] * repeated
        return tuple(cells)

    def _cell(self, element: Any, apart: list[Block]) -> Cell:
        texts: list[Spans] = []
        for inner in element:
            for one in self.blocks(inner):
                is_text = one.kind not in (BlockKind.COMMENT, BlockKind.NOTE) and not name_of(inner).startswith(SHAPE)
                if is_text:
                    texts += lines_of(one)
                else:
                    apart.append(one)
        if not texts and not any(name_of(inner) in PARAGRAPHS for inner in element):
            value = next(filter(None, (attribute(element, name) for name in VALUES)), "")
            texts = [(Span(value),)] if value else []
        columns = number(element, "table:number-columns-spanned")
        return Cell(lines(texts), min(columns, 1000), min(number(element, "table:number-rows-spanned"), 100_000))


def _is_item(one: Block, level: int) -> bool:
    return one.kind is BlockKind.LIST_ITEM and one.level == level


def _counts(cell: Cell) -> bool:
    """Whether a cell shows something or covers others."""
    return bool(cell.text) or cell.columns > 1 or cell.rows > 1


def _blanks(text: str | None) -> str:
    """Return text with each run of white space as one blank (ODF 1.3, part 3, 6.1.2)."""
    if not text:
        return ""
    words = " ".join(text.split())
    before = " " if text[0].isspace() else ""
    return f"{before}{words}{' ' if words and text[-1].isspace() else ''}"


def _own(table: Any, name: str) -> list[Any]:
    """Return the rows of a table in all groups, not those of tables within it."""
    found = []
    waiting = list(reversed(table))
    while waiting:
        element = waiting.pop()
        kind = name_of(element)
        if kind == name:
            found.append(element)
        elif kind.startswith("table:table-") and kind.endswith(("rows", "group")):
            waiting.extend(reversed(element))
    return found


def _marked(table: Any, rows: list[tuple[Cell, ...]]) -> tuple[tuple[Cell, ...], ...]:
    """Return rows with those of the header marked."""
    headers = sum(len(_own(group, "table:table-row")) for group in below(table, "table:table-header-rows"))
    marked = [tuple(replace(cell, header=True) for cell in row) for row in rows[:headers]]
    return (*marked, *rows[headers:])


READERS: Final[dict[str, Callable[[ContentReader, Any], list[Block]]]] = {
    "text:p": ContentReader.paragraph,
    "text:h": ContentReader.paragraph,
    "text:list": ContentReader.listed,
    "text:note": ContentReader.note,
    "office:annotation": ContentReader.comment,
    "draw:object": ContentReader.embedded,
    "math:math": ContentReader.formula,
    "presentation:notes": ContentReader.notes_page,
    "table:table": ContentReader.table,
}
