"""A document written in the form that a job asks for: the name of its file, and its content. Pure."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from schemas.blocks import Block, BlockKind, Origin, block
from schemas.document_json import document_json, shown
from schemas.job_types.values import OUTPUT_FILES, OutputForm
from services.worker.blocks.html import document
from services.worker.blocks.markdown import markdown
from services.worker.blocks.text import text

EMPTY_LINES: Final = re.compile(r"\n[^\S\n]*+\n")


@dataclass(frozen=True, slots=True)
class WrittenDocument:
    """A written document: `value` is a text, of `json` an object (schemas.document_json)."""

    name: str
    media_type: str
    value: Any

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        if isinstance(self.value, str):
            return self.value.encode("utf-8", "replace")
        return json.dumps(self.value, ensure_ascii=False).encode("utf-8", "replace")


def written(
    form: OutputForm, title: str, unit: str | None, parts: Sequence[Sequence[Block]], *, furniture: bool = False
) -> WrittenDocument:
    """Write a document, of which `parts` are the blocks of its pages, slides or the like, and `unit` their kind.

    `furniture`: text and Markdown have the running headers and footers too.
    """
    return WrittenDocument(*OUTPUT_FILES[form], _value(form, title, unit, parts, furniture))


def _value(form: OutputForm, title: str, unit: str | None, parts: Sequence[Sequence[Block]], furniture: bool) -> Any:
    match form:
        case "html":
            return document(title, parts, unit)
        case "json":
            return shown(document_json(title, unit, [block for part in parts for block in part]))
    write = markdown if form == "markdown" else text
    return "\n\n".join(piece for piece in (write(part, furniture=furniture) for part in parts) if piece)


def paragraphs(words: str) -> tuple[Block, ...]:
    """Return plain text as blocks: a paragraph between empty lines."""
    return tuple(block(BlockKind.PARAGRAPH, piece.strip("\n")) for piece in EMPTY_LINES.split(words) if piece.strip())


def placed(blocks: Iterable[Block], page: int, origin: Origin, confidence: float | None) -> tuple[Block, ...]:
    """Return blocks with their page and with where their text comes from."""
    return tuple(replace(block, page=page, origin=origin, confidence=confidence) for block in blocks)
