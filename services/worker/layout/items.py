"""Items of lists: their markers, and how deep they stand. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from schemas.blocks import Block, BlockKind
from services.worker.blocks.lists import BULLETS
from services.worker.layout.lines import spans_of, without_start
from services.worker.layout.regions import Region, RegionLine

MARKER: Final = re.compile(
    r"\s*(?P<mark>[^\w\s(\[\"'„“]|[\ue000-\uf8ff]|\(?[0-9]{1,3}[.)]|\(?[A-Za-z][.)]|\(?[ivxIVX]{1,5}[.)]|\[[0-9]{1,3}\])(?:\s+|$)"
)
STEP: Final = 5.0  # points by which an item that belongs to another begins further right


def items_of(region: Region) -> Iterator[Block]:
    """Yield the items of a region: one begins with each line that has a marker and is not indented."""
    item: list[RegionLine] = []
    for line in region.lines:
        if item and MARKER.match(line.text) and line.box[0] <= item[0].box[0] + STEP:
            yield _item(item)
            item = []
        item.append(line)
    if item:
        yield _item(item)


def _item(lines: list[RegionLine]) -> Block:
    spans = spans_of(lines)
    found = MARKER.match("".join(span.text for span in spans))
    if found is not None:
        spans = without_start(spans, found.end())
    mark = found["mark"] if found is not None else "-"
    edges = [line.box for line in lines]
    box = (min(e[0] for e in edges), min(e[1] for e in edges), max(e[2] for e in edges), max(e[3] for e in edges))
    return Block(BlockKind.LIST_ITEM, spans, 1, mark if mark.isalnum() or len(mark) > 1 else _bullet(mark), bbox=box)


def _bullet(mark: str) -> str:
    return mark if mark in BULLETS else "•"


def levelled(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield blocks with the levels of items: an item that begins further right belongs to the one before."""
    edges: list[float] = []
    above = 0.0
    for block in blocks:
        if block.kind is not BlockKind.LIST_ITEM or block.bbox is None:
            edges = []
            yield block
            continue
        left, top = block.bbox[:2]
        if top < above:  # the next column
            edges = []
        while edges and edges[-1] > left + STEP:
            edges.pop()
        if not edges or left > edges[-1] + STEP:
            edges.append(left)
        above = top
        yield replace(block, level=len(edges))
