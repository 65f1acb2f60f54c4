"""A document's blocks as JSON: the file `blocks.json` of a result (docs/blocks.md). Pure.

Fields that have their default are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from schemas.blocks import Block, BlockKind, Box, Cell, Origin, Span

VERSION: Final = 1
"""The version of the shape: fields are only added to it."""


@dataclass(frozen=True, slots=True)
class CellJson:
    """A cell: its text, its `spans` if it has styles or links, and how many places of the grid it covers."""

    text: str
    spans: tuple[Span, ...] = ()
    columns: int = 1
    rows: int = 1
    header: bool = False


@dataclass(frozen=True, slots=True)
class BlockJson:
    """A block: its kind and text, and what `schemas.blocks.Block` names. `spans` only if it has styles or links."""

    kind: BlockKind
    text: str
    spans: tuple[Span, ...] = ()
    level: int = 0
    marker: str = ""
    rows: tuple[tuple[CellJson, ...], ...] = ()
    page: int | None = None
    bbox: Box | None = None
    confidence: float | None = None
    origin: Origin = Origin.NATIVE


@dataclass(frozen=True, slots=True)
class DocumentJson:
    """A document: its title, and its blocks in reading order. `unit` is what `page` counts; None: it has no pages."""

    version: int
    title: str
    unit: str | None
    blocks: tuple[BlockJson, ...]


DOCUMENT: Final = TypeAdapter(DocumentJson)


def document_json(title: str, unit: str | None, blocks: Sequence[Block]) -> DocumentJson:
    """Return the document in the shape of the file."""
    return DocumentJson(VERSION, title, unit, tuple(map(_block, blocks)))


def shown(document: DocumentJson) -> dict[str, Any]:
    """Return the document as JSON values."""
    return {
        "version": document.version,
        "title": document.title,
        "unit": document.unit,
        "blocks": [_BLOCK.dump_python(block, mode="json", exclude_defaults=True) for block in document.blocks],
    }


_BLOCK: Final = TypeAdapter(BlockJson)


def _block(block: Block) -> BlockJson:
    return BlockJson(
        block.kind,
        block.text,
        _styled(block.spans),
        block.level,
        block.marker,
        tuple(tuple(map(_cell, row)) for row in block.rows),
        block.page,
        block.bbox,
        block.confidence,
        block.origin,
    )


def _cell(cell: Cell) -> CellJson:
    return CellJson(cell.text, _styled(cell.spans), cell.columns, cell.rows, cell.header)


def _styled(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    return spans if any(span != Span(span.text) for span in spans) else ()
