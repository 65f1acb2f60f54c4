"""The words of a text, and how many of them another text has. Pure; shares no code with the product's own net."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

WORD: Final = re.compile(r"[^\W_]+")
LIGATURES: Final = {0xAD: None, 0x02: None, 0xFFFE: None}
"""Soft hyphens, and what PDFium writes for a hyphen at the end of a line."""
SAMPLE: Final = 5
MIN_JOINED: Final = 2
"""Characters from which a word is looked for within joined words; a single one would be found anywhere."""


@dataclass(frozen=True, slots=True)
class Recall:
    """The words of a category: how many the source has, how many of them were read, and the first missing ones."""

    words: int
    read: int
    sample: tuple[str, ...] = field(default=())

    @property
    def missing(self) -> float:
        """The share of words that were not read, 0 to 1."""
        return 1 - self.read / self.words if self.words else 0.0


def words(text: str) -> list[str]:
    """Return the runs of letters and digits of a text, in one form and case (NFKC)."""
    return WORD.findall(unicodedata.normalize("NFKC", text.translate(LIGATURES)).casefold())


def recalls(source: Mapping[str, str], read: str) -> dict[str, Recall]:
    """Return the recall of each category of a source; categories without words are left out.

    A word must have been read as often as the source has it; the later categories lack it. Words that the result joins
    or divides are read too: what is left is also looked for in what the result has besides, without its blanks.
    """
    result = words(read)
    left = Counter(result)
    lacking: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for category, text in source.items():
        found = words(text)
        counts[category] = len(found)
        lacking[category] = []
        for word in found:
            if left[word] > 0:
                left[word] -= 1
            else:
                lacking[category].append(word)
    besides = _besides(result, left)
    judged = {}
    for category, count in counts.items():
        missing = [word for word in lacking[category] if len(word) < MIN_JOINED or word not in besides]
        if count:
            judged[category] = Recall(count, count - len(missing), tuple(missing[:SAMPLE]))
    return judged


def _besides(result: list[str], left: Counter[str]) -> str:
    """Return the words of the result that no category has, in order and without blanks."""
    spare = Counter(left)
    found = []
    for word in result:
        if spare[word] > 0:
            spare[word] -= 1
            found.append(word)
    return "".join(found)
