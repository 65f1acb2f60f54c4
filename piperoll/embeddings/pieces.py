"""The pieces of a document that chunks are made of: headings, and the paragraphs below them. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from schemas.blocks import BlockKind, Box

MARKS: Final = re.compile(r" {0,3}(#{1,6})(?![^ \t])")
FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")
ESCAPE: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
FURNITURE: Final = frozenset({BlockKind.PAGE_HEADER, BlockKind.PAGE_FOOTER})


@dataclass(frozen=True, slots=True)
class Piece:
    """A text with its place. `level`: of a heading 1 to 6, else 0. `title`: the heading without marks.

    `close`: it follows the piece before it without an empty line, as an item of a list does.
    """

    text: str
    level: int = 0
    title: str = ""
    page: int | None = None
    bbox: Box | None = None
    close: bool = False


class PlacedText(Protocol):
    """What `schemas.blocks.Block` and `schemas.document_json.BlockJson` share."""

    @property
    def kind(self) -> BlockKind:
        """What the block is."""

    @property
    def text(self) -> str:
        """Its text."""

    @property
    def level(self) -> int:
        """Its level as a heading or item."""

    @property
    def marker(self) -> str:
        """What stands before an item."""

    @property
    def page(self) -> int | None:
        """The page it begins on."""

    @property
    def bbox(self) -> Box | None:
        """Where it is on the page."""


def of_blocks(blocks: Iterable[PlacedText]) -> Iterator[Piece]:
    """Yield a piece for each block with text; a running header or footer once, however often it is repeated."""
    repeated: set[str] = set()
    item = False
    for block in blocks:
        text = block.text.strip("\n")
        if not text.strip() or (block.kind in FURNITURE and text in repeated):
            continue
        if block.kind in FURNITURE:
            repeated.add(text)
        is_item = block.kind is BlockKind.LIST_ITEM
        level = block.level if block.kind is BlockKind.HEADING else 0
        shown = f"{block.marker} {text}" if is_item and block.marker else text
        title = " ".join(text.split()) if level else ""
        yield Piece(shown, level, title, block.page, block.bbox, close=item and is_item)
        item = is_item


def of_markdown(text: str) -> Iterator[Piece]:
    """Yield the headings (those that begin with `#`) and the paragraphs of a Markdown text, their marks unchanged."""
    lines: list[str] = []
    fence = ""
    for line in text.splitlines():
        found = FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif found and found[1].startswith(fence) and not line[found.end() :].strip():
            fence = ""
        opened = None if fence or found else heading(line)
        if opened is None and (fence or line.strip()):
            lines.append(line)
            continue
        if lines:
            yield Piece("\n".join(lines))
            lines = []
        if opened is not None:
            level, title = opened
            yield Piece(line.strip(), level, " ".join(ESCAPE.sub(r"\1", title).split()))
    if lines:
        yield Piece("\n".join(lines))


def heading(line: str) -> tuple[int, str] | None:
    """Return the level of a heading that begins with `#`, and its text without the marks at its end; None for another
    line. A rule of CommonMark, in time that grows with the length of the line."""
    marks = MARKS.match(line)
    if marks is None:
        return None
    rest = line[marks.end() :].strip(" \t")
    opened = rest.rstrip("#")
    return len(marks[1]), opened.rstrip(" \t") if opened[-1:] in ("", " ", "\t") else rest


def of_text(text: str) -> Iterator[Piece]:
    """Yield the paragraphs of a plain text, which empty lines divide."""
    lines: list[str] = []
    for line in (*text.splitlines(), ""):
        if line.strip():
            lines.append(line)
        elif lines:
            yield Piece("\n".join(lines))
            lines = []
