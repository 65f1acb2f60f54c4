"""What a sheet shows beside its cells: text boxes, charts, SmartArt, controls, comments, headers and footers."""

import re
from collections.abc import Iterator
from typing import Any, Final

from schemas.blocks import Block, BlockKind, block
from services.worker.office.drawing.graphics import alternative_text, graphic_blocks, is_graphic
from services.worker.office.drawing.text import text_blocks
from services.worker.office.names import child, children, content, descendants, name_of, number
from services.worker.office.package import Part
from services.worker.office.sheets.cells import Grid
from services.worker.office.sheets.styles import text_of, unescaped

ANCHORS: Final = frozenset({"xdr:twoCellAnchor", "xdr:oneCellAnchor", "xdr:absoluteAnchor"})
NOTE: Final = "Note"
"""The type of VML shapes that show comments."""
THREADED: Final = "tc="
"""How the author of a comment begins that only stands for a thread (MS-XLSX, 2.6.205)."""
PRINTED: Final = re.compile(
    r'&"[^"]*"|&K(?:[0-9A-Fa-f]{6}|\d{2}[+-]\d{3})|&\d+|&(?P<sign>&)|&(?P<section>[LCR])|&.', re.DOTALL
)
"""The codes of headers and footers (ISO/IEC 29500-1, 18.3.1.46)."""


def drawing_blocks(sheet: Part, grid: Grid, place: str) -> Iterator[Block]:
    """Yield text boxes, charts and SmartArt from top to bottom; each that cannot be read becomes a note."""
    seen: set[str] = set()
    for relation in grid.drawings:
        with sheet.package.notes.isolating(f"A drawing on {place}"):
            drawing = sheet.related(relation)
            for anchor in sorted((entry for entry in drawing.root if name_of(entry) in ANCHORS), key=_position):
                with sheet.package.notes.isolating(f"A shape on {place}"):
                    for entry in _shown(anchor, drawing, place):
                        seen.add(entry.text)
                        yield entry
    for relation in grid.legacy:
        with sheet.package.notes.isolating(f"A control on {place}"):
            yield from (entry for entry in _controls(sheet.related(relation)) if entry.text not in seen)


def _position(anchor: Any) -> tuple[int, int]:
    row, column = child(anchor, "xdr:from", "xdr:row"), child(anchor, "xdr:from", "xdr:col")
    return number(None if row is None else row.text), number(None if column is None else column.text)


def _shown(element: Any, drawing: Part, place: str) -> Iterator[Block]:
    for inner in content(element):
        match name_of(inner):
            case "xdr:txBody":
                yield from text_blocks(inner, drawing)
            case "xdr:cNvPr":
                yield from alternative_text(inner)
            case _ if is_graphic(inner):
                yield from graphic_blocks(inner, drawing, place)
            case _:
                yield from _shown(inner, drawing, place)


def _controls(drawing: Part) -> Iterator[Block]:
    """Yield the texts of buttons, check boxes and boxes in VML, which also holds the shapes of comments."""
    for shape in descendants(drawing.root, "v:shape", "v:rect"):
        client = child(shape, "x:ClientData")
        if client is not None and client.get("ObjectType") == NOTE:
            continue
        for box in descendants(shape, "v:textbox"):
            text = " ".join(" ".join(box.itertext()).split())
            if text:
                yield block(BlockKind.PARAGRAPH, text)


# --- comments ---------------------------------------------------------------------------------------------------


def person_names(book: Part) -> dict[str, str]:
    """Return the names of those who wrote threads of comments, by id."""
    found = {}
    for part in book.parts("person"):
        with book.package.notes.isolating("The list of commenting persons"):
            for person in descendants(part.root, "tc:person"):
                found[person.get("id", "")] = person.get("displayName", "")
    return found


def comment_blocks(sheet: Part, persons: dict[str, str], place: str) -> Iterator[Block]:
    """Yield comments after their cell and author: threads, then comments of the older form."""
    for part in sheet.parts("threadedComment"):
        with sheet.package.notes.isolating(f"Comments on {place}"):
            for entry in descendants(part.root, "tc:threadedComment"):
                text = child(entry, "tc:text")
                words = "" if text is None else text.text or ""
                yield from _comment(entry.get("ref", ""), persons.get(entry.get("personId", ""), ""), words)
    for part in sheet.parts("comments"):
        with sheet.package.notes.isolating(f"Comments on {place}"):
            yield from _plain_comments(part)


def _plain_comments(part: Part) -> Iterator[Block]:
    authors = [entry.text or "" for entry in children(child(part.root, "s:authors"), "s:author")]
    for entry in descendants(part.root, "s:comment"):
        place = number(entry.get("authorId"), -1)
        author = authors[place] if 0 <= place < len(authors) else ""
        text = child(entry, "s:text")
        if text is not None and not author.startswith(THREADED):
            yield from _comment(entry.get("ref", ""), author, text_of(text))


def _comment(reference: str, author: str, text: str) -> Iterator[Block]:
    """Yield a comment. Excel writes the author's name into the text of older ones: it is not repeated."""
    text = text.strip()
    if author and text.startswith(f"{author}:"):
        text = text[len(author) + 1 :].strip() or text
    if text:
        yield block(BlockKind.COMMENT, ": ".join(piece for piece in (reference, author, text) if piece))


# --- headers and footers ----------------------------------------------------------------------------------------


def printed_blocks(grid: Grid, kind: BlockKind) -> Iterator[Block]:
    """Yield what is printed above or below the sheet, each text once."""
    wanted = "Header" if kind is BlockKind.PAGE_HEADER else "Footer"
    seen: set[str] = set()
    for name, code in grid.headers:
        text = printed_text(code)
        if name.endswith(wanted) and text and text not in seen:
            seen.add(text)
            yield block(kind, text)


def printed_text(code: str) -> str:
    """Return the words of a header or footer: no fonts, page numbers, dates and names of files."""
    text = PRINTED.sub(lambda found: found["sign"] or ("\n" if found["section"] else ""), unescaped(code))
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if any(sign.isalnum() for sign in line))
