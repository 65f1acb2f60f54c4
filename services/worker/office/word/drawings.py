"""What is anchored in a paragraph: text boxes, charts, SmartArt, WordArt, words about pictures, embedded objects."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from schemas.blocks import Block, BlockKind, block
from services.worker.office.drawing.graphics import alternative_text, graphic_blocks, is_graphic
from services.worker.office.drawing.text import paragraph_spans
from services.worker.office.names import content, name_of
from services.worker.office.package import Part

OBJECT: Final = "An embedded object ({}) was not read."


def drawn_blocks(element: Any, part: Part, read: Callable[[Any], Iterator[Block]]) -> Iterator[Block]:
    """Yield the blocks of a drawing (w:drawing), of VML (w:pict) or of an object (w:object).

    `read` reads the content of a text box.
    """
    for inner in content(element):
        match name_of(inner):
            case "w:txbxContent":
                yield from read(inner)
            case "a:p":
                spans = paragraph_spans(inner, part)
                if spans:
                    yield Block(BlockKind.PARAGRAPH, spans)
            case "v:textpath" if inner.get("string"):
                yield block(BlockKind.PARAGRAPH, inner.get("string").strip())
            case "wp:docPr":
                yield from alternative_text(inner)
            case "o:OLEObject":
                part.package.notes.add(OBJECT.format(inner.get("ProgID") or "of an unknown program"))
            case _ if is_graphic(inner):
                yield from graphic_blocks(inner, part, "the document")
            case _:
                yield from drawn_blocks(inner, part, read)
