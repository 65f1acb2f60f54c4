"""How alike two Markdown documents are: their words in order (NID), their headings (MHS), their tables (TEDS).

All three are from 0 to 1. NID: normalised edit distance of the words, without marks (Indel). MHS: edit distance of the
trees of headings, in which a heading hangs below the one before it with a smaller level. TEDS: that of the tables of
HTML, row by row (Zhong et al., "Image-based table recognition", 2020).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from apted import APTED, Config
from rapidfuzz.distance import Indel, Levenshtein

from schemas.blocks import Block, Cell

FENCE: Final = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)", re.MULTILINE | re.DOTALL)
HEADING: Final = re.compile(r"^(#{1,6})[^\S\n]+(.+?)[^\S\n]*#*$", re.MULTILINE)
MARKS: Final = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|<[^>\n]+>|[#*_`|\\$>~]|-{3,}")


@dataclass(slots=True)
class Node:
    """A node of a tree: its name, which must be equal, and its text, which may be alike."""

    name: str
    text: str = ""
    children: list["Node"] = field(default_factory=list)


class _Costs(Config):  # type: ignore[misc]
    """Adding and removing a node costs 1, renaming it what its text differs."""

    def rename(self, node1: Node, node2: Node) -> float:
        if node1.name != node2.name:
            return 1.0
        return float(Levenshtein.normalized_distance(node1.text, node2.text))

    def children(self, node: Node) -> list[Node]:
        return node.children


def order(wanted: str, read: str) -> float:
    """Return NID of two Markdown texts."""
    return float(Indel.normalized_similarity(_words(wanted), _words(read)))


def headings(wanted: str, read: str) -> float | None:
    """Return MHS of two Markdown texts; None if the first one has no headings."""
    tree = _headings(wanted)
    return alike(tree, _headings(read)) if tree.children else None


def alike(wanted: Node, read: Node) -> float:
    """Return how alike two trees are: 1 less the edit distance for each node of the larger one, but the root."""
    largest = max(_count(wanted), _count(read)) - 1
    distance: Any = APTED(wanted, read, _Costs()).compute_edit_distance()
    return max(0.0, 1.0 - float(distance) / max(largest, 1))


def _words(text: str) -> str:
    return " ".join(MARKS.sub(lambda found: found[1] or " ", text).split())


def _headings(text: str) -> Node:
    root = Node("document")
    above: list[tuple[int, Node]] = [(0, root)]
    for found in HEADING.finditer(FENCE.sub("", text)):
        level, node = len(found[1]), Node("heading", _words(found[2]).casefold())
        while above[-1][0] >= level:
            above.pop()
        above[-1][1].children.append(node)
        above.append((level, node))
    return root


def _count(node: Node) -> int:
    return 1 + sum(map(_count, node.children))


def tables(wanted: Sequence[Block], read: Sequence[Block]) -> float | None:
    """Return TEDS: the mean over the tables of the first document of how alike the table in the same place is.

    None if the first document has no tables.
    """
    trees, others = ([_table(block) for block in blocks if block.rows] for blocks in (wanted, read))
    if not trees:
        return None
    others += [Node("table")] * (len(trees) - len(others))
    return sum(alike(tree, other) for tree, other in zip(trees, others, strict=False)) / len(trees)


def _table(table: Block) -> Node:
    return Node("table", children=[Node("row", children=[_cell(cell) for cell in row]) for row in table.rows])


def _cell(cell: Cell) -> Node:
    return Node(f"cell {cell.columns} {cell.rows}", " ".join(cell.text.split()))
