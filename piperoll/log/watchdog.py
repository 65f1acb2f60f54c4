"""Judges whether a consumer is alive. Pure: fed with what was seen, asked for a verdict.

aiokafka can stall for ever after a broker restart without an error (issues 1154, 718, 712). So liveness is: the
position moves, or it has reached the end, or the group is rebalancing within a grace.
"""

from dataclasses import dataclass

STALL_S = 60.0  # longer than a broker's restart and a rebalance; after it a new process is the better bet


@dataclass(frozen=True, slots=True)
class Progress:
    """The last sign of life: when (monotonic seconds), and the positions then."""

    since: float
    positions: dict[int, int]


def observe(progress: Progress, now: float, positions: dict[int, int], ends: dict[int, int]) -> Progress:
    """The progress after a look: renewed if a position moved or all of them have reached the ends."""
    caught_up = all(positions.get(part, 0) >= end for part, end in ends.items() if part in positions)
    if caught_up or positions != progress.positions:
        return Progress(now, positions)
    return progress


def stalled(progress: Progress, now: float) -> bool:
    """Whether nothing moved for too long."""
    return now - progress.since > STALL_S
