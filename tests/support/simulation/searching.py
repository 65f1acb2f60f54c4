"""Plays many schedules, and reports the first that fails: short, with what is wrong and the history of its subjects."""

from collections.abc import Iterable

from tests.support.simulation.clients import with_histories
from tests.support.simulation.playing import play
from tests.support.simulation.schedule import KINDS, SMALL, Schedule, Size, draw_schedule
from tests.support.simulation.shrinking import shrink


def first_failure(seeds: Iterable[int], kinds: tuple[str, ...] = KINDS, size: Size = SMALL) -> Schedule | None:
    """The schedule of the first seed in which something is wrong; with faults of these kinds only."""
    for seed in seeds:
        schedule = draw_schedule(seed, kinds, size)
        if play(schedule)[1]:
            return schedule
    return None


def explain(schedule: Schedule) -> str:
    """What a failing schedule comes down to: the shortest that fails in the same way."""
    kinds = {violation.invariant for violation in play(schedule)[1]}
    short = shrink(schedule, lambda one: bool(kinds & {violation.invariant for violation in play(one)[1]}))
    world, violations = play(short)
    return "\n".join(["", str(short), "", with_histories(world, violations)])
