"""Tables whose cells are drawn with lines, which show how cells are merged, whatever stands in them. Pure geometry."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NamedTuple

from schemas.blocks import Box

NEAR: Final = 2.0  # points: edges that are closer are one
COVERED: Final = 0.7  # of the area of a table that the models found: it is the one with these lines


class PlacedWord(NamedTuple):
    """A word and its box."""

    box: Box
    text: str


def html_of(cells: Sequence[Box], words: Sequence[PlacedWord]) -> str:
    """Return the table of these cells; empty if none of them is merged, for which lines are not needed.

    The header is the first row, and what its highest cell stands beside.
    """
    lefts, tops = _starts(cell[0] for cell in cells), _starts(cell[1] for cell in cells)
    placed = sorted((_place(tops, cell[1]), _place(lefts, cell[0]), cell) for cell in set(cells))
    spans = {cell: (_place(lefts, cell[2]) - column, _place(tops, cell[3]) - row) for row, column, cell in placed}
    if all(span == (1, 1) for span in spans.values()):
        return ""
    head = max((spans[cell][1] for row, _, cell in placed if row == 0), default=1)
    rows: list[str] = [""] * len(tops)
    for row, _, cell in placed:
        across, down = spans[cell]
        name = "th" if row < head else "td"
        rows[row] += f'<{name} colspan="{across}" rowspan="{down}">{escape(_text(cell, words))}</{name}>'
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def is_of(table: Box, lines: Box) -> bool:
    """Whether the lines, by the box around them, are those of a table that the models found."""
    width = min(table[2], lines[2]) - max(table[0], lines[0])
    height = min(table[3], lines[3]) - max(table[1], lines[1])
    area = (table[2] - table[0]) * (table[3] - table[1])
    return width > 0 and height > 0 and width * height >= COVERED * area


def _starts(edges: Iterable[float]) -> list[float]:
    starts: list[float] = []
    for edge in sorted(edges):
        if not starts or edge > starts[-1] + NEAR:
            starts.append(edge)
    return starts


def _place(starts: Sequence[float], edge: float) -> int:
    """Return how many rows or columns begin before an edge."""
    return bisect_left(starts, edge - NEAR)


def _text(cell: Box, words: Sequence[PlacedWord]) -> str:
    left, top, right, bottom = cell
    inside = [
        word.text
        for word in words
        if left <= (word.box[0] + word.box[2]) / 2 <= right and top <= (word.box[1] + word.box[3]) / 2 <= bottom
    ]
    return " ".join(inside)
