"""The text of a part of a Word document as blocks: the body, a header, a footnote, a text box."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

from schemas.blocks import Block, BlockKind, Span
from services.worker.office.names import child, content, full, name_of, value
from services.worker.office.package import Part
from services.worker.office.spans import Spans, joined, lines, lines_of, plain
from services.worker.office.word.chunks import chunk_blocks
from services.worker.office.word.drawings import drawn_blocks
from services.worker.office.word.inline import Inline, formula_alone, formula_block
from services.worker.office.word.story import Beside
from services.worker.office.word.tables import table_blocks

UNREAD: Final = frozenset({"w:del", "w:moveFrom", "w:sectPr", "w:sdtPr", "w:sdtEndPr"})
RUNS: Final = frozenset({"w:r", "w:hyperlink", "w:fldSimple", "w:ruby", "m:oMath"})
"""What belongs into a paragraph; a program may have written it without one."""


class Flow:
    """Reads one part. `beside` is shared by all parts of the document."""

    def __init__(self, part: Part, beside: Beside) -> None:
        self.part = part
        self.beside = beside
        self._inline = Inline(part, beside)

    def blocks(self, container: Any) -> Iterator[Block]:
        """Yield what a container holds; what wraps paragraphs and tables is looked through."""
        for element in content(container):
            name = name_of(element)
            if name == "w:p":
                with self.beside.notes.isolating("A paragraph"):
                    yield from self._paragraph(element)
            elif name == "w:tbl":
                with self.beside.notes.isolating("A table"):
                    yield from table_blocks(element, self.blocks)
            elif name == "w:altChunk":
                with self.beside.notes.isolating("A document that is embedded as a chunk"):
                    yield from chunk_blocks(element, self.part, self.beside)
            elif name == "m:oMathPara":
                yield from (formula_block(text) for text in [formula_alone(element.getparent())] if text)
            elif name in RUNS:
                yield from self._paragraph(_wrapped(element))
            elif name not in UNREAD and not name.endswith("Pr"):
                yield from self.blocks(element)

    def text(self, container: Any) -> Spans:
        """Return all text of a container, its paragraphs under one another."""
        return lines([line for block in self.blocks(container) for line in lines_of(block)])

    def _paragraph(self, paragraph: Any) -> Iterator[Block]:
        spans = self._inline.spans(paragraph)
        anchored, comments = self._inline.anchored, self._inline.comments
        formula = formula_alone(paragraph)
        if formula:
            yield formula_block(formula)
        else:
            yield from self._text_block(paragraph, spans)
        for element in anchored:
            yield from drawn_blocks(element, self.part, self.blocks)
        for comment in comments:
            yield from self._comment(comment)

    def _text_block(self, paragraph: Any, spans: Spans) -> Iterator[Block]:
        """Yield a paragraph with text as heading, list item or paragraph; an empty one still counts in its list."""
        styles = self.beside.styles
        level = styles.heading_level(paragraph)
        numbered = styles.numbering(paragraph)
        if not spans and child(paragraph, "w:pPr", "w:rPr", "w:del") is not None:
            return  # its mark was deleted, and the paragraph with it
        marker = self.beside.numbering.marker(numbered, styles.style_ids(paragraph)) if numbered else None
        if not spans:
            return
        if level:
            number = f"{marker[0]} " if marker and marker[0] != "-" else ""
            yield Block(BlockKind.HEADING, plain((Span(number), *spans)), level)
        elif marker:
            yield Block(BlockKind.LIST_ITEM, spans, marker[1], marker[0])
        else:
            yield Block(styles.kind(paragraph), spans)

    def _comment(self, comment_id: str) -> Iterator[Block]:
        known = self.beside.comments.pop(comment_id, None)
        if known is not None:
            yield from comment_blocks(known, self.beside)


def comment_blocks(comment: tuple[Any, Part], beside: Beside) -> Iterator[Block]:
    """Yield a comment after the name of its author."""
    element, part = comment
    spans = Flow(part, beside).text(element)
    author = value(element, attribute="author")
    if spans:
        yield Block(BlockKind.COMMENT, joined((Span(f"{author}: " if author else ""), *spans)))


def _wrapped(element: Any) -> Any:
    """Return a paragraph that holds only this element."""
    paragraph = element.makeelement(full("w:p"))
    paragraph.append(deepcopy(element))
    return paragraph
