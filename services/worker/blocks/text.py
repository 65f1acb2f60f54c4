"""Blocks as plain text, without marks. Pure."""

from collections.abc import Iterable
from itertools import groupby

from schemas.blocks import Block, BlockKind
from services.worker.blocks.grid import grid
from services.worker.blocks.markdown import FURNITURE


def text(blocks: Iterable[Block], *, furniture: bool = False) -> str:
    """Return blocks as text, separated by empty lines; the items of a list follow each other.

    A row of a table is a line with tabs between its places. `furniture`: with running headers and footers.
    """
    shown = (block for block in blocks if furniture or block.kind not in FURNITURE)
    pieces = []
    for kind, group in groupby(shown, key=lambda block: block.kind):
        separator = "\n" if kind is BlockKind.LIST_ITEM else "\n\n"
        pieces.append(separator.join(words for words in map(_words, group) if words))
    return "\n\n".join(piece for piece in pieces if piece)


def _words(block: Block) -> str:
    match block.kind:
        case BlockKind.TABLE:
            lines = ("\t".join(" ".join(cell.text.split()) if cell else "" for cell in row) for row in grid(block.rows))
            return "\n".join(line.rstrip("\t") for line in lines)
        case BlockKind.LIST_ITEM:
            return f"{'  ' * (max(block.level, 1) - 1)}{block.marker or '-'} {block.text.strip()}".rstrip()
        case BlockKind.CODE:
            return block.text.strip("\n")
    return block.text.strip()
