"""The blocks of a document: headings, paragraphs, tables and the like, in reading order. Pure.

Every reader makes blocks, and every output (text, Markdown, HTML, JSON) is written from them.
"""

from dataclasses import dataclass
from enum import StrEnum

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in points from the top left corner of the page as it is shown; of an image in pixels."""


class BlockKind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE = "table"
    CODE = "code"
    FORMULA = "formula"
    QUOTE = "quote"
    CAPTION = "caption"
    PICTURE = "picture"
    NOTE = "note"
    """A footnote, an endnote, or the notes of a speaker."""
    COMMENT = "comment"
    PAGE_HEADER = "page_header"
    PAGE_FOOTER = "page_footer"


class Origin(StrEnum):
    """Where a block's text comes from."""

    NATIVE = "native"
    OCR = "ocr"
    LLM = "llm"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a block's text in one style. `link` is an address, empty without one."""

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False
    strike: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table, which covers `columns` by `rows` places of the grid."""

    spans: tuple[Span, ...] = ()
    columns: int = 1
    rows: int = 1
    header: bool = False

    @property
    def text(self) -> str:
        """The text without styles."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its kind, its text as `spans`, and where it is.

    `level`: of a heading 1 to 6, of a list item its depth from 1, else 0. `marker`: of a list item what stands before
    it, such as `-` or `3.`; of code its language. `rows`: the cells of a table; a cell that another one covers is
    left out. `page` counts from 1 (a slide, sheet or chapter too). `confidence`: that of OCR, 0 to 1.
    """

    kind: BlockKind
    spans: tuple[Span, ...] = ()
    level: int = 0
    marker: str = ""
    rows: tuple[tuple[Cell, ...], ...] = ()
    page: int | None = None
    bbox: Box | None = None
    confidence: float | None = None
    origin: Origin = Origin.NATIVE

    @property
    def text(self) -> str:
        """The text without styles; of a table a line for each row, its cells separated by tabs."""
        if self.rows:
            return "\n".join("\t".join(cell.text for cell in row) for row in self.rows)
        return "".join(span.text for span in self.spans)


def block(kind: BlockKind, text: str, level: int = 0, *, marker: str = "", page: int | None = None) -> Block:
    """Build a block whose text has one style."""
    return Block(kind, (Span(text),) if text else (), level, marker, page=page)
