"""How owners share the slots of a worker. Pure.

The reserved slots are kept for owners without running jobs, as long as more than one owner was seen lately: an owner
that is alone uses every slot. So an owner that was not seen lately may find all slots taken, and a run is then taken
back for it: the youngest one of the owner with the most.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

LATELY = timedelta(hours=1)
"""How long slots are kept for the others after one of them had a job here."""

PATIENCE = timedelta(seconds=1)
"""How long an owner waits for a slot to come free by itself before one is taken back."""


class HasOwner(Protocol):
    """A run in a slot."""

    @property
    def owner(self) -> str:
        """The owner of its job."""
        ...


RunT = TypeVar("RunT", bound=HasOwner)


class Sightings:
    """Whether more than one owner was seen lately. Needs the same memory for any number of owners."""

    def __init__(self) -> None:
        self._newest: tuple[str, datetime] | None = None
        self._other_at: datetime | None = None  # when the newest of all other owners was seen

    def note(self, owner: str, now: datetime) -> None:
        """Note that an owner has a job here."""
        if self._newest is not None and self._newest[0] != owner:
            self._other_at = self._newest[1]
        self._newest = (owner, now)

    def several(self, now: datetime) -> bool:
        """Whether two owners were seen within LATELY."""
        return self._other_at is not None and now - self._other_at <= LATELY


@dataclass(slots=True)
class Patience:
    """How long some owner has been waiting while all slots were taken."""

    since: datetime | None = None

    def over(self, waits: bool, now: datetime) -> bool:
        """Whether the wait has lasted for PATIENCE; `waits` is whether it goes on. Begins again after that."""
        if not waits:
            self.since = None
        elif self.since is None:
            self.since = now
        elif now - self.since >= PATIENCE:
            self.since = None
            return True
        return False


def run_to_take_back(runs: Iterable[RunT]) -> RunT | None:
    """Return the youngest run of the owner with the most; None if no owner has more than one.

    `runs` are those in slots, in the order in which they began. An owner keeps its oldest run, so its work goes on.
    """
    inside = list(runs)
    counts = Counter(run.owner for run in inside)
    most = max(counts.values(), default=0)
    return next((run for run in reversed(inside) if counts[run.owner] == most), None) if most > 1 else None
