"""Sort the lines of an OCR into reading order. Pure geometry.

Boxes are in pixels, y grows downwards. Columns of prose are read one after the other; the cells of a table or form,
which are short, stay together in their row.
"""

from collections.abc import Iterable, Sequence
from statistics import median

from services.worker.ocr.lines import ELONGATED, TextLine

COLUMN_LINES = 4  # with fewer lines, neighbours are cells, not columns
COLUMN_WIDTH = 8.0  # minimum ratio of mean width to height of prose lines; cells are shorter
GUTTER = 0.8  # minimum gap between columns, in line heights
ACROSS_CHARACTERS = 3  # a letter or a digit or two may be higher than wide
PARAGRAPH_GAP = 1.0  # minimum gap at which a page is split into upper and lower part, in line heights


def rows_of(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    """Return the rows of a page in reading order, the parts of a row from left to right.

    Lines across the page, such as a stamp in the margin, come last: each of them is beside many rows.
    """
    across = sorted((line for line in lines if _is_across(line)), key=lambda line: (line.left, line.top))
    along = [line for line in lines if not _is_across(line)]
    return [row for block in _blocks(along) for row in _rows(block)] + [[line] for line in across]


def _is_across(line: TextLine) -> bool:
    return line.height >= ELONGATED * line.width and len(line.text) >= ACROSS_CHARACTERS


def text_of(rows: Iterable[Sequence[TextLine]]) -> str:
    """Return the text of rows, a line for each."""
    return "\n".join(" ".join(line.text for line in row) for row in rows)


def _blocks(lines: list[TextLine]) -> list[list[TextLine]]:
    """Split a page at gutters and wide gaps into blocks in reading order. No recursion: a page can have 1,000 lines."""
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
    """Split a block into left and right columns, else into upper and lower part; None when it is not split."""
    if len(block) < 2 * COLUMN_LINES:
        return None  # too few for columns
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
    """Return the start of the widest gap between spans; None when none has the `least` width."""
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
    """Group lines at the same height into rows."""
    rows: list[list[TextLine]] = []
    for line in sorted(block, key=lambda line: (line.middle, line.left)):
        first = rows[-1][0] if rows else None
        if first is not None and first.top <= line.middle <= first.bottom and line.top <= first.middle <= line.bottom:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.left) for row in rows]
