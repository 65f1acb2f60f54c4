"""Regions of pages as blocks. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from schemas.blocks import Block, BlockKind, Span
from services.worker.blocks.markdown import FURNITURE
from services.worker.layout.headings import DEEPEST, HEADINGS, Levels, key_of
from services.worker.layout.items import items_of, levelled
from services.worker.layout.lines import code_of, is_code, spans_of, text_of
from services.worker.layout.regions import PageLayout, Region
from services.worker.markup.page import read_page

KINDS: Final = {
    "caption": BlockKind.CAPTION,
    "footnote": BlockKind.NOTE,
    "formula": BlockKind.FORMULA,
    "picture": BlockKind.PICTURE,
    "page-header": BlockKind.PAGE_HEADER,
    "page-footer": BlockKind.PAGE_FOOTER,
}
"""The kinds by the models' names; others are paragraphs."""
CODE_GAP: Final = 15.0  # points: about a line, which may be empty


def blocks_of(page: PageLayout, levels: Levels) -> tuple[Block, ...]:
    """Return the blocks of a page, each with its box.

    Headers and footers of a page that has nothing else are its content.
    """
    blocks = tuple(levelled(block for region in _whole(page.regions) for block in _blocks(region, levels)))
    if all(block.kind in FURNITURE for block in blocks if block.text):
        return tuple(replace(block, kind=BlockKind.PARAGRAPH) if block.text else block for block in blocks)
    return blocks


def _whole(regions: Iterable[Region]) -> Iterator[Region]:
    """Yield the regions, with lines of code that stand below each other as one."""
    before: Region | None = None
    for region in regions:
        if before is not None and _is_code(before) and _is_code(region) and _is_next(before, region):
            left, top, right, _ = before.box
            box = (min(left, region.box[0]), top, max(right, region.box[2]), region.box[3])
            before = replace(before, box=box, lines=before.lines + region.lines)
            continue
        if before is not None:
            yield before
        before = region
    if before is not None:
        yield before


def _is_code(region: Region) -> bool:
    return region.name not in KINDS and not region.html and region.name not in HEADINGS and is_code(region.lines)


def _is_next(above: Region, below: Region) -> bool:
    return 0 <= below.box[1] - above.box[3] + CODE_GAP <= 2 * CODE_GAP and below.box[0] < above.box[2]


def _blocks(region: Region, levels: Levels) -> Iterator[Block]:
    if region.html:
        tables = [block for block in read_page(region.html).blocks if block.rows]
        yield from (replace(table, bbox=region.box) for table in tables)
    elif region.name == "list-item":
        yield from items_of(region)
    elif region.name in HEADINGS:
        if plain := text_of(region.lines):
            yield Block(BlockKind.HEADING, (Span(plain),), levels.get(key_of(region), DEEPEST), bbox=region.box)
    elif _is_code(region):
        yield Block(BlockKind.CODE, (Span(code_of(region.lines)),), bbox=region.box)
    elif (spans := spans_of(region.lines)) or region.name == "picture":
        yield Block(KINDS.get(region.name, BlockKind.PARAGRAPH), spans, bbox=region.box)
