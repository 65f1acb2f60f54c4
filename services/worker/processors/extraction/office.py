"""Word documents, presentations and spreadsheets as blocks and Markdown. Their ZIP has been checked before.

Headers and footers stand in the text too, each once: letterheads, VAT numbers and accounts are content.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Final

from schemas.blocks import Block, BlockKind
from schemas.errors import ErrorCode
from schemas.formats import OF_KIND, Kind
from services.worker.blocks.markdown import FURNITURE, markdown
from services.worker.errors import ProcessingError
from services.worker.files.sources import Source
from services.worker.office.notes import NoteList
from services.worker.office.package import Package, opened
from services.worker.office.sheets.workbook import Workbook
from services.worker.office.slides.deck import Deck
from services.worker.office.word.document import document_blocks, document_part
from services.worker.office.words import lost
from services.worker.processors.extraction.markup import TITLE_CHARS
from services.worker.processors.extraction.parts import (
    MAX_CHARACTERS,
    ExtractedText,
    OnPart,
    TextLimit,
    TextPart,
    Unit,
    checked_count,
    reading,
)

MAX_CELLS: Final = 5_000_000
"""The limit of cells in a workbook, empty ones between others included."""


def read_docx(source: Source) -> ExtractedText:
    """Return a Word document's text with headings, lists, tables, notes, comments, headers and footers."""
    text = _Text()
    with _package(source, Kind.DOCX) as package:
        blocks = document_blocks(package)
        missing = lost(document_part(package), "the document", blocks)
        text.add(blocks)
        return text.extracted(package, missing, title=first_heading(blocks))


def read_pptx(source: Source, max_slides: int, on_part: OnPart) -> ExtractedText:
    """Return each slide's title, texts and tables in reading order, with the speaker's notes and comments."""
    text = _Text()
    missing: list[str] = []
    with _package(source, Kind.PPTX) as package:
        deck = Deck(package)
        count = checked_count(len(deck), max_slides, "slide")
        for number in range(1, count + 1):
            on_part(number, count)
            slide = deck.slide(number)
            blocks = () if slide is None else tuple(deck.blocks(slide, number))
            text.add(blocks)
            if slide is not None:
                missing += lost(slide, f"slide {number}", blocks)
                slide.forget()
        return text.extracted(package, missing, "slide", title=first_heading(text.blocks()))


def read_xlsx(source: Source, max_sheets: int, on_part: OnPart) -> ExtractedText:
    """Return each sheet under its name: its cells as tables that show what they show, then what stands beside them."""
    text = _Text()
    missing: list[str] = []
    with _package(source, Kind.XLSX) as package:
        book = Workbook(package, Budget().take)
        count = checked_count(len(book), max_sheets, "sheet")
        for number in range(1, count + 1):
            on_part(number, count)
            sheet = book.sheet(number)
            blocks = tuple(book.blocks(sheet))
            text.add(blocks)
            if sheet.part is not None:
                missing += lost(sheet.part, f"the sheet {sheet.name}", blocks, cells=True)
        return text.extracted(package, missing, "sheet")


@contextmanager
def _package(source: Source, kind: Kind) -> Iterator[Package]:
    """Open a file; errors inside become ProcessingError INVALID_DOCUMENT."""
    with reading(OF_KIND[kind].name), opened(source.path, NoteList()) as package:
        yield package


class _Text:
    """The parts of a document's text in the making."""

    def __init__(self) -> None:
        self._limit = TextLimit()
        self._parts: list[TextPart] = []
        self._running: set[str] = set()

    def add(self, blocks: tuple[Block, ...]) -> None:
        """Add a part; headers and footers of earlier ones are left out. Raises ProcessingError FILE_TOO_LARGE."""
        kept = tuple(self._once(blocks))
        content = markdown(kept, escaped=False, furniture=True)
        self._parts.append(self._limit.part(TextPart(content, blocks=kept)))

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks of all parts."""
        return chain.from_iterable(part.blocks for part in self._parts)

    def extracted(
        self, package: Package, missing: Sequence[str], unit: Unit | None = None, *, title: str = ""
    ) -> ExtractedText:
        """Return the whole. `title` counts where the properties of the file have none."""
        return ExtractedText(
            tuple(self._parts),
            "native",
            unit=unit,
            title=package.title() or title,
            markdown=True,
            notes=(*package.notes.all(), *missing),
            furniture=True,
        )

    def _once(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Yield blocks, without headers and footers of earlier parts."""
        for block in blocks:
            if block.kind not in FURNITURE:
                yield block
            elif block.text not in self._running:
                self._running.add(block.text)
                yield block


def first_heading(blocks: Iterable[Block]) -> str:
    """Return the text of the first heading that has any, empty without one."""
    texts = (" ".join(block.text.split()) for block in blocks if block.kind is BlockKind.HEADING)
    return next((text[:TITLE_CHARS] for text in texts if text), "")


class Budget:
    """Counts cells and their characters, as the cells are read: equal texts are stored once, and written often.

    Raises ProcessingError FILE_TOO_LARGE above MAX_CELLS and MAX_CHARACTERS.
    """

    def __init__(self) -> None:
        self._cells = 0
        self._characters = 0

    def take(self, cells: int, characters: int) -> None:
        """Count cells and their characters."""
        self._cells += cells
        self._characters += characters
        if self._cells > MAX_CELLS:
            raise ProcessingError(ErrorCode.FILE_TOO_LARGE, f"The spreadsheet has more than {MAX_CELLS:,} cells.")
        if self._characters > MAX_CHARACTERS:
            raise ProcessingError(
                ErrorCode.FILE_TOO_LARGE, f"The spreadsheet contains more than {MAX_CHARACTERS:,} characters of text."
            )
