"""Where a passage is in the pages of a job, and on the picture of its page. Pure.

A passage is a part of the job's text, as a search returns it. Letters and digits alone are compared: white space, marks
of Markdown and the lines between pages differ between a text and the pages that it was made from.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from schemas.pages import FinishedPage, PageWord

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in parts of the page's width and height from the top left corner."""

BEGINNING: Final = 60
"""Letters that are looked for where the whole passage is not found."""
_SEPARATOR: Final = re.compile(r"^--- Seite \d+ ---$", re.MULTILINE)
_OTHERS: Final = re.compile(r"[\W_]+")


def folded(text: str) -> str:
    """Return the letters and digits of a text, without upper case."""
    return _OTHERS.sub("", text.casefold())


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that was found: the page with most of it, and the folded text of what is on that page."""

    page: int
    text: str


@dataclass(frozen=True, slots=True)
class SearchablePages:
    """The folded texts of pages, joined: `starts` are the places at which they begin, and the end."""

    numbers: tuple[int, ...]
    text: str
    starts: tuple[int, ...]

    @classmethod
    def of(cls, pages: Sequence[FinishedPage]) -> "SearchablePages":
        """Fold the texts of pages."""
        texts = [folded(page.text) for page in pages]
        return cls(tuple(page.page for page in pages), "".join(texts), tuple(accumulate(map(len, texts), initial=0)))

    def find(self, passage: str) -> Passage | None:
        """Return where a passage is first found; None for one that is in no page."""
        wanted = folded(_SEPARATOR.sub("", passage))
        begin = self.text.find(wanted)
        if begin < 0:
            wanted = wanted[:BEGINNING]
            begin = self.text.find(wanted)
        if begin < 0 or not wanted:
            return None
        start, end, at = max(self._parts(begin, begin + len(wanted)), key=lambda part: part[1] - part[0])
        return Passage(self.numbers[at], self.text[start:end])

    def _parts(self, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield begin and end of the part on each page, with the index of the page."""
        for at in range(bisect_right(self.starts, begin) - 1, len(self.numbers)):
            if self.starts[at] >= end:
                return
            yield max(begin, self.starts[at]), min(end, self.starts[at + 1]), at


def boxes_of(text: str, words: Sequence[PageWord]) -> list[Box]:
    """Return the boxes of a folded text on a page, one for each line; none if the page's words do not have it."""
    pieces = [folded(word.text) for word in words]
    begin = "".join(pieces).find(text)
    if begin < 0 or not text:
        return []
    places = pairwise(accumulate(map(len, pieces), initial=0))
    end = begin + len(text)
    found = [word for word, (first, last) in zip(words, places, strict=True) if first < end and begin < last]
    return [_around(line) for line in _lines(found)]


def _lines(words: Iterable[PageWord]) -> Iterator[list[PageWord]]:
    lines: dict[int, list[PageWord]] = {}
    for word in words:
        lines.setdefault(word.line, []).append(word)
    yield from lines.values()


def _around(words: Sequence[PageWord]) -> Box:
    return (
        min(word.left for word in words),
        min(word.top for word in words),
        max(word.right for word in words),
        max(word.bottom for word in words),
    )
