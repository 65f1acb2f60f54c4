"""The lines that OCR found as paragraphs with their boxes and confidence. Pure geometry."""

from collections.abc import Iterator, Sequence
from typing import Final

from schemas.blocks import Block, BlockKind, Box, Origin, Span
from services.worker.ocr.lines import TextLine, Turn
from services.worker.ocr.reading_order import rows_of

GAP: Final = 0.8  # of the height of a line: with more between two lines a paragraph ends
DIGITS: Final = 2  # of a place


def paragraphs_of(lines: Sequence[TextLine], turned: float, zoom: float = 1.0) -> tuple[Block, ...]:
    """Return the paragraphs of a page whose text is `turned` clockwise; `zoom` is a point in pixels of the image."""
    return tuple(_block(rows, Turn(turned), zoom) for rows in _paragraphs(rows_of(lines)))


def _paragraphs(rows: Sequence[list[TextLine]]) -> Iterator[list[list[TextLine]]]:
    """Divide rows where there is a gap, or where the next row is not below: it is that of another column."""
    paragraph: list[list[TextLine]] = []
    for row in rows:
        if paragraph and not _follows(paragraph[-1], row):
            yield paragraph
            paragraph = []
        paragraph.append(row)
    if paragraph:
        yield paragraph


def _follows(above: Sequence[TextLine], row: Sequence[TextLine]) -> bool:
    height = max(line.height for line in (*above, *row))
    gap = min(line.top for line in row) - max(line.bottom for line in above)
    aside = row[0].left > max(line.right for line in above) or row[-1].right < above[0].left
    return -height < gap <= GAP * height and not aside


def _block(rows: Sequence[Sequence[TextLine]], turn: Turn, zoom: float) -> Block:
    lines = [line for row in rows for line in row]
    text = "\n".join(" ".join(line.text for line in row) for row in rows)
    weights = [max(1, len(line.text)) for line in lines]
    score = sum(line.score * weight for line, weight in zip(lines, weights, strict=True)) / sum(weights)
    spans = (Span(text),) if text else ()
    box = _box(lines, turn, zoom)
    return Block(BlockKind.PARAGRAPH, spans, bbox=box, confidence=round(score, 4), origin=Origin.OCR)


def _box(lines: Sequence[TextLine], turn: Turn, zoom: float) -> Box:
    """Return the box around lines on the page as it is shown."""
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    top, bottom = min(line.top for line in lines), max(line.bottom for line in lines)
    corners = [turn.on_image(corner) for corner in ((left, top), (right, top), (right, bottom), (left, bottom))]
    across, down = [x / zoom for x, _ in corners], [y / zoom for _, y in corners]
    return tuple(round(edge, DIGITS) for edge in (min(across), min(down), max(across), max(down)))  # type: ignore[return-value]
