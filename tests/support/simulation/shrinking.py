"""Makes a failing schedule short, by delta debugging: leaves out parts as long as what is left still fails."""

from collections.abc import Callable
from typing import Protocol, Self, TypeVar


class Parts(Protocol):
    """What consists of parts, such as a schedule."""

    def __len__(self) -> int: ...

    def without(self, left_out: set[int]) -> Self:
        """The same without some of its parts."""
        ...


PartsT = TypeVar("PartsT", bound=Parts)


def shrink(schedule: PartsT, fails: Callable[[PartsT], bool]) -> PartsT:
    """The schedule without the parts that its failure does not need. None of the parts left can be left out alone.

    Source: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002), the complements of ddmin.
    """
    size = max(1, len(schedule) // 2)
    while True:
        shorter = _without_a_chunk(schedule, size, fails)
        if shorter is not None:
            schedule = shorter
        elif size == 1:
            return schedule
        else:
            size //= 2


def _without_a_chunk(schedule: PartsT, size: int, fails: Callable[[PartsT], bool]) -> PartsT | None:
    for begin in range(0, len(schedule), size):
        shorter = schedule.without(set(range(begin, begin + size)))
        if len(shorter) < len(schedule) and fails(shorter):
            return shorter
    return None
