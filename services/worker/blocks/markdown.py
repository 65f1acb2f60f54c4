"""Blocks as Markdown: CommonMark with GitHub's tables and strikethrough. Pure.

Cells that cover several places leave the others empty, so that each value stands under its column. Captions, formulas
and the words of pictures are paragraphs; notes and comments are quotes under a label.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Final

from schemas.blocks import Block, BlockKind, Cell, Span
from services.worker.blocks.grid import grid
from services.worker.blocks.inline import heading_end, inline, line_start, lines_of
from services.worker.blocks.lists import label_of, number_of

FURNITURE: Final = frozenset({BlockKind.PAGE_HEADER, BlockKind.PAGE_FOOTER})
"""What a page repeats around its content."""
LABELS: Final = {BlockKind.NOTE: "Note", BlockKind.COMMENT: "Comment"}
FENCE: Final = re.compile(r"`{3,}")
LANGUAGE: Final = re.compile(r"[^\w+#.\-]")


def markdown(blocks: Iterable[Block], *, escaped: bool = True, furniture: bool = False) -> str:
    """Return blocks as Markdown, separated by empty lines; the items of a list follow each other.

    Without `escaped` characters of the text that Markdown takes for marks stay as they are. `furniture`: with running
    headers and footers.
    """
    shown = (block for block in blocks if furniture or block.kind not in FURNITURE)
    pieces = []
    for kind, group in groupby(shown, key=lambda block: block.kind):
        if kind is BlockKind.LIST_ITEM:
            pieces.append(_List(escaped).written(group))
        else:
            pieces.extend(_WRITERS.get(kind, _paragraph)(block, escaped) for block in group)
    return "\n\n".join(piece for piece in pieces if piece)


def table(rows: Sequence[Sequence[Cell]], *, escaped: bool = True) -> str:
    """Return rows as a table whose first row is the header; empty for a table without words."""
    lines = [[inline(cell.spans, escaped=escaped, in_table=True) if cell else "" for cell in row] for row in grid(rows)]
    if not any(any(line) for line in lines):
        return ""
    head, *others = ("| " + " | ".join(line) + " |" for line in lines)
    return "\n".join([head, "| " + " | ".join("---" for _ in lines[0]) + " |", *others])


def _lines(spans: Iterable[Span], escaped: bool) -> list[str]:
    lines = [inline(line, escaped=escaped) for line in lines_of(spans)]
    return [line_start(line) if escaped else line for line in lines if line]


def _paragraph(block: Block, escaped: bool) -> str:
    return _break(escaped).join(_lines(block.spans, escaped))


def _heading(block: Block, escaped: bool) -> str:
    text = inline(block.spans, escaped=escaped)
    level = min(max(block.level, 1), 6)
    return f"{'#' * level} {heading_end(text) if escaped else text}" if text else ""


def _table(block: Block, escaped: bool) -> str:
    return table(block.rows, escaped=escaped)


def _code(block: Block, escaped: bool) -> str:
    text = "\n".join(line.rstrip() for line in block.text.splitlines()).strip("\n")
    if not text:
        return ""
    fence = "`" * max((len(found) + 1 for found in FENCE.findall(text)), default=3)
    return f"{fence}{LANGUAGE.sub('', block.marker)}\n{text}\n{fence}"


def _quote(block: Block, escaped: bool) -> str:
    label = LABELS.get(block.kind)
    lines = _lines(block.spans, escaped)
    if not lines:
        return ""
    first = f"**{label}:** " if label else ""
    return "\n".join(f"> {line}" for line in f"{first}{_break(escaped).join(lines)}".splitlines())


def _break(escaped: bool) -> str:
    """Return the line end within a paragraph: two blanks make it one when Markdown is shown."""
    return "  \n" if escaped else "\n"


class _List:
    """Writes the items of a list: each one is indented to the text of the item that it belongs to."""

    def __init__(self, escaped: bool) -> None:
        self._escaped = escaped
        self._above: list[tuple[int, int]] = []  # level, and where its text begins
        self._lines: list[str] = []
        self._has_text = False  # whether the item before has any

    def written(self, items: Iterable[Block]) -> str:
        for item in items:
            self._add(item)
        return "\n".join(self._lines)

    def _add(self, item: Block) -> None:
        outer = len(self._above)
        while self._above and self._above[-1][0] >= max(item.level, 1):
            self._above.pop()
        nested = len(self._above) == outer > 0
        indent = self._above[-1][1] if self._above else 0
        mark = item.marker if number_of(item.marker) is not None else "-"
        label = label_of(item.marker)
        spans = (Span(f"{label} "), *item.spans) if label else item.spans
        lines = _lines(spans, self._escaped)
        if nested and self._has_text and (not lines or mark not in ("-", "1.", "1)")):
            self._lines.append("")  # such an item cannot follow a line of text (CommonMark, 5.2)
        start = f"{' ' * indent}{mark} "
        text = f"{_break(self._escaped)}{' ' * len(start)}".join(lines)
        self._lines.append(f"{start}{text}".rstrip())
        self._has_text = bool(lines)
        self._above.append((max(item.level, 1), len(start)))


_WRITERS: Final[dict[BlockKind, Callable[[Block, bool], str]]] = {
    BlockKind.HEADING: _heading,
    BlockKind.TABLE: _table,
    BlockKind.CODE: _code,
    BlockKind.QUOTE: _quote,
    BlockKind.NOTE: _quote,
    BlockKind.COMMENT: _quote,
}
