"""A history of a store and its log, drawn from a seed. It can be printed, shortened and played again."""

import random
import tempfile
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from schemas.events import JobCancelled
from tests.support.runs.sweeping import ENOUGH_S, HOUR_S, Sweeping, sweeping
from tests.support.sweeps.course import LATEST_H, Course

PARTITIONS = 3
NUMBERS = 4
HOURS = (0.1, 1, 6, 7, 20, 50, 150)
OFF_H = (-2000, -50, -1, 0, 1, 50, 2000)
CLIENTS = ("request", "lost_request", "orphan", "run", "erase", "cancel", "cancel", "batch", "expand", "remove")
FAULTS = ("outage", "outage", "restart", "cut", "back_up", "restore_store", "restore_log")
MOTIFS = (
    (("request", 40, 20), ("outage", 50, 1)),
    (("request", 20, 1), ("outage", 150, 7)),
    (("lost_request", 0, 50), ("request", 40, 20)),
    (("back_up", 0, 1), ("request", 0.1, 1), ("run", 0, 1), ("restore_log", 0, 150)),
    (("batch", 0, 1), ("expand", 0, 50), ("restart", 0, 150)),
    (("batch", 0, 1), ("copy_with_times", -2000, 1), ("restart", 0, 50)),
    (("batch", 1, 1), ("copy_with_times", -2000, 1), ("restart", 0, 50)),
    (("cut", 600, 1), ("request", 1, 150), ("restart", 0, 150)),
)
"""Steps about one job, each with its hours and those after it, that chance alone rarely brings together."""
CLOCKS = ("copy_with_times", "local_off", "store_off", "broker_off")


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens, and the hours of sweeps after it. `hours` depends on the name (see `Course`)."""

    name: str
    number: int
    hours: float
    then_h: float


@dataclass(frozen=True, slots=True)
class History:
    """What happens, in order."""

    seed: int
    steps: tuple[Step, ...]

    def __len__(self) -> int:
        return len(self.steps)

    def without(self, left_out: set[int]) -> "History":
        """The same without some of its steps."""
        return replace(self, steps=tuple(one for number, one in enumerate(self.steps) if number not in left_out))

    def __str__(self) -> str:
        return "\n".join([f"seed {self.seed}", *map(repr, self.steps)])


def draw_history(seed: int) -> History:
    """The history of a seed."""
    dice = random.Random(seed)
    steps = [_step(dice) for _ in range(dice.randint(4, 16))]
    if dice.random() < 0.6:
        number, place = dice.randrange(NUMBERS), dice.randint(0, len(steps))
        steps[place:place] = [Step(name, number, hours, then_h) for name, hours, then_h in dice.choice(MOTIFS)]
    return History(seed, tuple(steps))


def _step(dice: random.Random) -> Step:
    kind = dice.choice([CLIENTS, CLIENTS, CLIENTS, FAULTS, FAULTS, CLOCKS])
    hours = dice.choice(OFF_H if kind is CLOCKS else HOURS)
    return Step(dice.choice(kind), dice.randrange(NUMBERS), hours, dice.choice(HOURS))


def failure_of(history: History) -> str:
    """What goes wrong in a history; empty if nothing does."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            sweeping(Path(folder), lambda one: _play(one, history), PARTITIONS, history.seed)
        except AssertionError as error:
            return str(error)
    return ""


async def _play(one: Sweeping, history: History) -> None:
    course = Course(one)
    for step in history.steps:
        await _take(course, step)
        await course.pass_time(step.then_h)
    await _end(course)
    left = await course.orphans()
    assert left == set(), f"no sweep deleted the orphans {left}"


async def _take(course: Course, step: Step) -> None:
    one = course.one
    if step.name == "broker_off":  # brokers keep the time better than others
        one.broker_off = max(one.broker_off, timedelta(hours=min(max(step.hours, 0), 1)))
    elif step.name.endswith("_off"):
        setattr(one, step.name, timedelta(hours=step.hours))
    else:
        await getattr(course, step.name)(step.number, step.hours)


async def _end(course: Course) -> None:
    """What is pending arrives, every job ends, and the sweeps go on for long enough.

    No cut off worker sweeps any more: one whose time is behind lets the ages of notes begin again.
    """
    one = course.one
    course.stale.clear()
    one.store_off = one.local_off = timedelta()
    one.restart()
    await one.append("job-last", JobCancelled(by="acme"))  # an empty log proves nothing
    await course.pass_time(LATEST_H + 1)
    for number in range(NUMBERS):
        await course.cancel(number, 0)
    await course.pass_time(2 * ENOUGH_S / HOUR_S)
