"""The verdict on a file: which of its words were read, and whether a loss was silent. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final

from bench.reading.words import Recall

TOLERATED: Final = 0.03
"""The share of a category's words that may be missing before its file counts."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a file. `outcome`: `read`, `refused`, `crashed` or `timed out`; `recalls` is empty if unjudged."""

    path: str
    outcome: str
    seconds: float
    reason: str = ""
    warnings: tuple[str, ...] = ()
    recalls: Mapping[str, Recall] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The extension of the file's name, in capitals."""
        return PurePath(self.path).suffix[1:].upper() or "(none)"

    @property
    def lost(self) -> tuple[str, ...]:
        """The categories of which more than TOLERATED is missing."""
        return tuple(name for name, one in self.recalls.items() if one.missing > TOLERATED)

    @property
    def silent(self) -> bool:
        """Whether words were lost and no warning names it."""
        return bool(self.lost) and not self.warnings


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: the files of one kind that have words of a category."""

    kind: str
    category: str
    files: int
    words: int
    read: int
    lossy: int
    silent: int


def verdict_of(path: str, answer: Mapping[str, Any], seconds: float) -> Verdict:
    """Return the verdict from the answer of `bench.reading.child`."""
    return Verdict(
        path,
        answer["outcome"],
        round(seconds, 3),
        answer.get("reason") or answer.get("unjudged", ""),
        tuple(answer.get("warnings", ())),
        {name: Recall(words, read, tuple(sample)) for name, (words, read, sample) in answer.get("recalls", {}).items()},
    )


def lines(verdicts: Iterable[Verdict]) -> list[Line]:
    """Return the table, by kind and category."""
    groups: dict[tuple[str, str], list[tuple[Recall, bool]]] = {}
    for verdict in verdicts:
        for category, recall in verdict.recalls.items():
            groups.setdefault((verdict.kind, category), []).append((recall, verdict.silent))
    found = []
    for (kind, category), members in sorted(groups.items()):
        lossy = [silent for recall, silent in members if recall.missing > TOLERATED]
        words, read = sum(one.words for one, _ in members), sum(one.read for one, _ in members)
        found.append(Line(kind, category, len(members), words, read, len(lossy), sum(lossy)))
    return found


def worst(verdicts: Iterable[Verdict], count: int) -> list[Verdict]:
    """Return the files that lost most words, silent losses first."""
    lossy = [verdict for verdict in verdicts if verdict.lost]
    return sorted(lossy, key=lambda one: (not one.silent, -_missing(one)))[:count]


def _missing(verdict: Verdict) -> int:
    return sum(one.words - one.read for one in verdict.recalls.values())
