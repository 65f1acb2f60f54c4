"""A Word document as blocks: its letterhead, its text, its footnotes, and comments without a place in the text."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Final

from schemas.blocks import Block, BlockKind, Span
from services.worker.office.names import children, descendants, full, name_of
from services.worker.office.package import DamagedPartError, Package, Part, require_root
from services.worker.office.spans import Spans, joined, lines, lines_of
from services.worker.office.word.flow import Flow, comment_blocks
from services.worker.office.word.story import Beside, beside

USUAL: Final = "word/document.xml"
MAX_DEPTH: Final = 3
"""Documents within documents that are read."""
HEADERS: Final = {"w:headerReference": BlockKind.PAGE_HEADER, "w:footerReference": BlockKind.PAGE_FOOTER}


def document_blocks(package: Package, depth: int = 0) -> tuple[Block, ...]:
    """Return the blocks of a document: headers first, then the text and its notes, footers last.

    `depth` counts the documents that it is embedded in. Raises DamagedPartError for a file without a document.
    """
    document = document_part(package)
    bodies = list(children(require_root(document, "w:document"), "w:body"))
    if not bodies:
        raise DamagedPartError("no body")
    embedded = partial(document_blocks, depth=depth + 1) if depth < MAX_DEPTH else None
    side = beside(document, embedded)
    flow = Flow(document, side)
    text = list(_joined_code(chain.from_iterable(flow.blocks(body) for body in bodies)))
    headers = list(_running(document, side, "w:headerReference"))
    footers = list(_running(document, side, "w:footerReference"))
    notes = list(_footnotes(side))
    left = [entry for comment in side.comments.values() for entry in comment_blocks(comment, side)]
    if side.rubies:
        side.notes.add(f"Readings above words (ruby) were left out: {side.rubies:,}.")
    return (*headers, *text, *notes, *left, *footers)


def document_part(package: Package) -> Part:
    """Return the part that holds the text of a document."""
    return package.main(USUAL)


def _running(document: Part, side: Beside, reference: str) -> Iterator[Block]:
    """Yield each header or footer of the document's sections once."""
    seen: set[str] = set()
    for element in descendants(document.root, reference):
        with side.notes.isolating("A header or footer"):
            part = document.related(element.get(full("r:id")))
            spans, boxes = _one_text(Flow(part, side).blocks(part.root))
            words = " ".join("".join(span.text for span in spans).split())
            if words and words not in seen and not words.isdigit():
                seen.add(words)
                yield Block(HEADERS[name_of(element)], spans)
            yield from boxes


def _one_text(blocks: Iterator[Block]) -> tuple[Spans, list[Block]]:
    """Return the text of a header in one piece, and the comments on it."""
    found = list(blocks)
    texts = [line for entry in found if entry.kind is not BlockKind.COMMENT for line in lines_of(entry)]
    return lines(texts), [entry for entry in found if entry.kind is BlockKind.COMMENT]


def _footnotes(side: Beside) -> Iterator[Block]:
    """Yield the notes that the text refers to; a note may refer to another one."""
    place = 0
    while place < len(side.met):
        note = side.met[place]
        place += 1
        spans = Flow(note.part, side).text(note.element)
        if spans:
            yield Block(BlockKind.NOTE, joined((Span(f"{note.label} " if note.label else ""), *spans)))


def _joined_code(blocks: Iterator[Block]) -> Iterator[Block]:
    """Yield blocks with paragraphs of code that follow each other as one."""
    code: list[Spans] = []
    for entry in blocks:
        if entry.kind is BlockKind.CODE:
            code.append(entry.spans)
            continue
        yield from _code(code)
        code = []
        yield entry
    yield from _code(code)


def _code(texts: Sequence[Spans]) -> Iterator[Block]:
    if texts:
        yield Block(BlockKind.CODE, lines(texts))
