"""Puts the lines that OCR found into the order in which a person reads them. Pure geometry; knows no engine.

Boxes are in pixels, y grows downwards. Columns of prose are read one after the other; the cells of a table or form,
which are short, stay beside each other in their row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

COLUMN_LINES = 4  # fewer lines side by side are cells, not columns
COLUMN_WIDTH = 8.0  # mean width of a prose line over its height; a cell is shorter
GUTTER = 0.8  # the least gap between columns, in line heights
PARAGRAPH_GAP = 1.0  # the least gap at which a page is cut into an upper and a lower part, in line heights


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text as an engine found it, its certainty from 0 to 1, and the box around it."""

    text: str
    score: float
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """Of the box."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """The height at which the line stands."""
        return (self.top + self.bottom) / 2


def text_of(lines: Sequence[TextLine]) -> str:
    """The page's text: a line for each row, its parts from left to right."""
    return "\n".join(" ".join(line.text for line in row) for block in _blocks(list(lines)) for row in _rows(block))


def _blocks(lines: list[TextLine]) -> list[list[TextLine]]:
    """Cuts a page at gutters and wide gaps; blocks in reading order. Works on a stack: pages have 1,000 lines."""
    done: list[list[TextLine]] = []
    waiting = [lines] if lines else []
    while waiting:
        block = waiting.pop()
        parts = _cut(block)
        if parts is None:
            done.append(block)
        else:
            waiting += reversed(parts)
    return done


def _cut(block: list[TextLine]) -> tuple[list[TextLine], list[TextLine]] | None:
    """The two parts that a block falls into: left and right columns, else upper and lower part, else None."""
    if len(block) < 2 * COLUMN_LINES:
        return None  # too few for columns: rows alone give the order
    height = median(line.height for line in block)
    gutter = _widest_gap(((line.left, line.right) for line in block), GUTTER * height)
    if gutter is not None:
        left = [line for line in block if line.right <= gutter]
        right = [line for line in block if line.right > gutter]
        if _is_prose(left) and _is_prose(right):
            return left, right
    gap = _widest_gap(((line.top, line.bottom) for line in block), PARAGRAPH_GAP * height)
    if gap is None:
        return None
    return [line for line in block if line.bottom <= gap], [line for line in block if line.bottom > gap]


def _widest_gap(spans: Iterable[tuple[float, float]], least: float) -> float | None:
    """Where the widest gap between spans begins, None when none has the `least` width."""
    best, where, reach = least, None, None
    for start, end in sorted(spans):
        if reach is not None and start - reach >= best:
            best, where = start - reach, reach
        reach = end if reach is None else max(reach, end)
    return where


def _is_prose(lines: list[TextLine]) -> bool:
    if len(lines) < COLUMN_LINES:
        return False
    widths = sum(line.right - line.left for line in lines)
    return widths >= COLUMN_WIDTH * sum(line.height for line in lines)


def _rows(block: list[TextLine]) -> list[list[TextLine]]:
    """Lines that stand at the same height form a row."""
    rows: list[list[TextLine]] = []
    for line in sorted(block, key=lambda line: (line.middle, line.left)):
        first = rows[-1][0] if rows else None
        if first is not None and first.top <= line.middle <= first.bottom and line.top <= first.middle <= line.bottom:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.left) for row in rows]
