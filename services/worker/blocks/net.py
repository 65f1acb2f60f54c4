"""The net under every reader: words of a source by place, against the words that were read. Pure.

A reader names what its source shows, place by place, by other means than those that it reads with. What the result
lacks is named with its place, so that nothing is lost without a warning.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.blocks import Block

WORD: Final = re.compile(r"[^\W_]+")
MAX_PLACES: Final = 10
"""Places that a warning names."""
MAX_SAMPLE: Final = 5
"""Words of a place that a warning names."""
MAX_WORD: Final = 30
"""Characters of a word that a warning names."""
MAX_EXPLAINED: Final = 2_000
"""Words for which the net looks whether they were joined or divided, which takes time; more are lost indeed."""
MAX_DIVIDED: Final = 300
"""Characters of a word that are compared with its parts."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Words of a place that were not read: how many, and the first of them."""

    place: str
    count: int
    sample: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """A warning."""
        words = ", ".join(word[:MAX_WORD] for word in self.sample)
        more = ", …" if self.count > len(self.sample) else ""
        verb = "word is" if self.count == 1 else "words are"
        return f"{self.count} {verb} missing in the text, {self.place}: {words}{more}."


def words(text: str) -> list[str]:
    """Return a text's words: runs of letters and digits, in one form and case (NFKC)."""
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def block_texts(blocks: Iterable[Block]) -> Iterator[str]:
    """Yield all text of blocks: their markers, their texts and those of their cells."""
    for block in blocks:
        yield block.marker
        yield "".join(span.text for span in block.spans)
        for row in block.rows:
            yield from (cell.text for cell in row)


def missing(sources: Iterable[tuple[str, str]], read: Iterable[str]) -> list[Missing]:
    """Return what of the sources, pairs of a place and its text, is not in the texts that were read.

    Each word must have been read as often as the sources have it; where it was read less often, the later places lack
    it. A place may come several times. Words that were joined or divided, such as a word and the number of its
    footnote, are not missing.
    """
    coarse, lacking = _coarse(sources, read)
    left = Counter(word for text in coarse.elements() for word in words(text))
    lost: dict[str, list[str]] = {}
    for place, text in lacking:
        for word in words(text):
            if left[word] > 0:
                left[word] -= 1
            else:
                lost.setdefault(place, []).append(word)
    explained = _Explained([word for word, count in left.items() if count > 0])
    found = ((place, [word for word in names if word not in explained]) for place, names in lost.items())
    return [Missing(place, len(names), tuple(names[:MAX_SAMPLE])) for place, names in found if names]


def _coarse(sources: Iterable[tuple[str, str]], read: Iterable[str]) -> tuple[Counter[str], list[tuple[str, str]]]:
    """Return what is left of both sides without the pieces between blanks that both have, which are nearly all."""
    left: Counter[str] = Counter()
    for text in read:
        left.update(text.split())
    lacking = []
    for place, text in sources:
        for piece in text.split():
            if left[piece] > 0:
                left[piece] -= 1
            else:
                lacking.append((place, piece))
    return +left, lacking


def warnings(found: Sequence[Missing]) -> list[str]:
    """Return a warning for each place, and one for the places beyond MAX_PLACES."""
    sentences = [one.sentence for one in found[:MAX_PLACES]]
    if further := found[MAX_PLACES:]:
        sentences.append(f"{sum(one.count for one in further)} words are missing in {len(further)} further places.")
    return sentences


class _Explained:
    """The words that are part of a word that only the result has, or are made up of such words."""

    def __init__(self, unused: list[str]) -> None:
        self._whole = "\n".join(unused)
        self._parts = frozenset(unused)
        self._left = MAX_EXPLAINED if unused else 0

    def __contains__(self, word: str) -> bool:
        self._left -= 1
        return self._left >= 0 and (word in self._whole or self._made_of_parts(word[:MAX_DIVIDED]))

    def _made_of_parts(self, word: str) -> bool:
        reached = {0}
        for end in range(1, len(word) + 1):
            if any(word[start:end] in self._parts for start in reached):
                reached.add(end)
        return len(word) in reached
