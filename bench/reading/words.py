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
MIN_JOINED: Final = 4
"""Characters from which a word is looked for across the words of the whole result; a shorter one would be anywhere."""


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
    or divides are read too.
    """
    result = words(read)
    left = Counter(result)
    counts: dict[str, int] = {}
    lacking: dict[str, list[str]] = {}
    for category, text in source.items():
        found = words(text)
        counts[category] = len(found)
        lacking[category] = []
        for word in found:
            if left[word] > 0:
                left[word] -= 1
            else:
                lacking[category].append(word)
    changed = _Changed(result, left)
    judged = {}
    for category, count in counts.items():
        missing = [word for word in lacking[category] if not changed.has(word)]
        if count:
            judged[category] = Recall(count, count - len(missing), tuple(missing[:SAMPLE]))
    return judged


class _Changed:
    """The words of a result without blanks: those that no category has, and all of them."""

    def __init__(self, result: list[str], left: Counter[str]) -> None:
        spare = Counter(left)
        besides = []
        for word in result:
            if spare[word] > 0:
                spare[word] -= 1
                besides.append(word)
        self._besides = "".join(besides)
        self._all = "".join(result)
        self._known = frozenset(result)

    def has(self, word: str) -> bool:
        """Whether a missing word was read as a part of others, or as several. What explains one explains no second."""
        if word in self._besides:
            self._besides = self._besides.replace(word, " ", 1)
            return True
        return len(word) >= MIN_JOINED and word not in self._known and word in self._all
