"""Judges whether a consumer is alive, from its positions. Pure.

aiokafka can stall for ever after a broker restart without an error (issues 1154, 718, 712), even in one partition
only. So each partition is alive that moves between checks, or has reached its end.
"""

from dataclasses import dataclass, field

STALL_LOOKS = 6  # a minute: longer than a broker's restart and a rebalance; after that a new process is better
"""Checks are counted, not seconds: a slow reader is not checked meanwhile."""


@dataclass(frozen=True, slots=True)
class StallWatch:
    """Per partition, its position at the last look, and at how many looks in a row it stood there short of its end."""

    positions: dict[int, int] = field(default_factory=dict)
    stood: dict[int, int] = field(default_factory=dict)


def observe(watch: StallWatch, positions: dict[int, int], ends: dict[int, int]) -> StallWatch:
    """The watch after another check."""
    still = {part for part, at in positions.items() if watch.positions.get(part) == at and at < ends.get(part, 0)}
    return StallWatch(positions, {part: watch.stood.get(part, 0) + 1 for part in still})


def stalled(watch: StallWatch) -> list[int]:
    """The partitions that did not move for too long."""
    return sorted(part for part, looks in watch.stood.items() if looks >= STALL_LOOKS)
