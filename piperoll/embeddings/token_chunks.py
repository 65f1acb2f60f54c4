"""Split the pieces of a document into chunks by heading and number of tokens. Pure.

A chunk ends before the next heading, and where it has as many tokens as allowed, at the end of a paragraph, sentence,
line or word in its second half. `piperoll.embeddings.chunking` splits texts by characters.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from piperoll.embeddings.chunking import CUTS, SPACE
from piperoll.embeddings.pieces import Piece
from schemas.blocks import Box

MAX_TITLE: Final = 100
"""Characters of a heading in the path of a chunk."""
Starts = Callable[[str], Sequence[int]]
"""Returns where the tokens of a text begin: ascending positions."""


@dataclass(frozen=True, slots=True)
class PlacedChunk:
    """A part of a document for a search or a language model.

    `page` and `last_page`: where it begins and ends. `bbox`: the box around what it has on `page`, None if a part of
    that has no box. `headings`: the titles above it, the highest first.
    """

    text: str
    tokens: int
    page: int | None = None
    last_page: int | None = None
    bbox: Box | None = None
    headings: tuple[str, ...] = ()


def chunked(pieces: Iterable[Piece], max_tokens: int, overlap: int, starts_of: Starts) -> Iterator[PlacedChunk]:
    """Yield the chunks of a document in order, without a word lost.

    Each has at most `max_tokens`, and begins with up to `overlap` tokens from the end of the one before it, unless a
    heading is between them. Raises ValueError for a size below 2, and an overlap below 0 or over half the size.
    """
    if max_tokens < 2 or not 0 <= overlap <= max_tokens // 2:
        raise ValueError("a chunk has at least 2 tokens, and repeats at most half of them")
    for section in _sections(pieces):
        starts = starts_of(section.text)
        for begin, end in _spans(section.text, starts, max_tokens, overlap):
            tokens = bisect_left(starts, end) - bisect_left(starts, begin)
            yield section.chunk(begin, end, tokens)


@dataclass(frozen=True, slots=True)
class _Section:
    """The headings above a text, the text, and its pieces with their first and last position."""

    headings: tuple[str, ...]
    text: str
    placed: tuple[tuple[int, int, Piece], ...]

    def chunk(self, begin: int, end: int, tokens: int) -> PlacedChunk:
        """Return the part of the text between two positions with its place."""
        first = bisect_right(self.placed, begin, key=lambda one: one[1])
        behind = bisect_left(self.placed, end, key=lambda one: one[0])
        within = [piece for _, _, piece in self.placed[first:behind]]
        pages = [piece.page for piece in within if piece.page is not None]
        page, last_page = (pages[0], pages[-1]) if pages else (None, None)
        boxes = [piece.bbox for piece in within if piece.page == page]
        return PlacedChunk(self.text[begin:end].strip(), tokens, page, last_page, _around(boxes), self.headings)


def _sections(pieces: Iterable[Piece]) -> Iterator[_Section]:
    """Yield the headings that follow each other with the text below them, up to the next heading."""
    path: list[tuple[int, str]] = []
    found: list[Piece] = []
    for piece in pieces:
        if piece.level and found and not found[-1].level:
            yield _section(path, found)
            found = []
        if piece.level:
            path = [(level, title) for level, title in path if level < piece.level]
            path.append((piece.level, piece.title[:MAX_TITLE]))
        found.append(piece)
    if found:
        yield _section(path, found)


def _section(path: Sequence[tuple[int, str]], pieces: Sequence[Piece]) -> _Section:
    texts: list[str] = []
    placed = []
    position = 0
    for piece in pieces:
        gap = "" if not texts else "\n" if piece.close else "\n\n"
        begin = position + len(gap)
        position = begin + len(piece.text)
        texts.append(gap + piece.text)
        placed.append((begin, position, piece))
    return _Section(tuple(title for _, title in path if title), "".join(texts), tuple(placed))


def _spans(text: str, starts: Sequence[int], size: int, overlap: int) -> Iterator[tuple[int, int]]:
    """Yield where each chunk begins and ends. What comes before the first token belongs to the first chunk."""
    begin, first = 0, 0
    while first + size < len(starts):
        end = _cut(text, starts[first + size // 2], starts[first + size])
        yield begin, end
        begin = _overlapping(text, starts, end, overlap)
        first = bisect_left(starts, begin)
    if text[begin:].strip():
        yield begin, len(text)


def _cut(text: str, middle: int, limit: int) -> int:
    """Return the last place of the best kind after `middle`, up to `limit`."""
    for kind in CUTS:
        ends = [found.end() for found in kind.finditer(text, middle, limit + 1) if middle < found.end() <= limit]
        if ends:
            return ends[-1]
    return limit  # one long word


def _overlapping(text: str, starts: Sequence[int], end: int, overlap: int) -> int:
    """Return the begin of the next chunk: at most `overlap` tokens before `end`, at the start of a word."""
    earliest = starts[max(bisect_left(starts, end) - overlap, 0)] if overlap else end
    if earliest >= end or text[earliest - 1].isspace():
        return min(earliest, end)
    space = SPACE.search(text, earliest, end)
    return space.end() if space else end


def _around(boxes: Sequence[Box | None]) -> Box | None:
    found = [box for box in boxes if box is not None]
    if not found or len(found) < len(boxes):
        return None
    lefts, tops, rights, bottoms = zip(*found, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)
