"""A course of events, drawn from a seed: what clients do, and what goes wrong. It can be printed and played again."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

WORKERS = ("worker-1", "worker-2")
PROCESSES = (*WORKERS, "projector-1", "notifier-1", "notifier-2")
OWNERS = 3
APPENDING = (*WORKERS, "notifier-1")


@dataclass(frozen=True, slots=True)
class Size:
    """The most jobs and faults of a schedule, and the time within which everything happens."""

    jobs: int
    faults: int
    busy_s: float


SMALL = Size(jobs=3, faults=4, busy_s=8.0)
LARGE = Size(jobs=25, faults=20, busy_s=60.0)


@dataclass(frozen=True, slots=True)
class Act:
    """What a client does. `count` are the members of a batch, or the number of an endpoint's owner.

    `statuses` are those for which an endpoint is registered.
    """

    at_s: float
    kind: str
    subject: str
    seconds: float = 0.0
    failures: int = 0
    fatal: bool = False
    moods: tuple[int, ...] | None = None
    count: int = 0
    statuses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, from `at_s` on; `value` depends on the kind (see `FAULTS`)."""

    at_s: float
    kind: str
    target: str
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """A course of events. The same schedule is always the same course. `crew` are the processes."""

    seed: int
    acts: tuple[Act, ...]
    faults: tuple[Fault, ...]
    crew: tuple[str, ...] = PROCESSES
    busy_s: float = SMALL.busy_s

    def __len__(self) -> int:
        return len(self.acts) + len(self.faults)

    def without(self, left_out: set[int]) -> "Schedule":
        """The same without some of its parts, counted through acts and faults."""
        acts = [act for number, act in enumerate(self.acts) if number not in left_out]
        first = len(self.acts)
        faults = [fault for number, fault in enumerate(self.faults, first) if number not in left_out]
        return replace(self, acts=tuple(acts), faults=tuple(faults))

    def __str__(self) -> str:
        parts = sorted((*self.acts, *self.faults), key=lambda part: part.at_s)
        return "\n".join([f"seed {self.seed}", *map(repr, parts)])


Draw = Callable[[random.Random], float]

FAULTS: dict[str, tuple[tuple[str, ...], Draw]] = {
    "crash_at_await": (PROCESSES, lambda dice: dice.randint(0, 60)),  # resumptions from then on
    "crash_and_land": (APPENDING, lambda dice: dice.randint(0, 60)),  # the same; records in transit still arrive
    "append_error": (APPENDING, lambda dice: 0.0),
    "append_silence": (APPENDING, lambda dice: dice.uniform(0.1, 6.0)),  # seconds until the repeat
    "append_duplicate": (APPENDING, lambda dice: 0.0),
    "append_delay": (APPENDING, lambda dice: dice.uniform(0.1, 6.0)),  # seconds
    "rebalance": (("worker", "projector", "notifier", "notifier.deliveries", "notifier.endpoints"), lambda dice: 0.0),
    "coordinator_cut": (PROCESSES, lambda dice: dice.uniform(0.5, 8.0)),  # seconds
    "cut_off": (PROCESSES, lambda dice: dice.uniform(0.5, 8.0)),  # seconds
    "freeze": (PROCESSES, lambda dice: dice.uniform(0.5, 8.0)),  # seconds
    "clock_jump": (PROCESSES, lambda dice: dice.choice([-3600.0, -20.0, 20.0, 3600.0])),  # seconds
    "blobs_away": (("blobs",), lambda dice: dice.uniform(0.2, 5.0)),  # seconds
    "postgres_away": (("postgres",), lambda dice: dice.uniform(0.2, 5.0)),  # seconds
    "postgres_restarts": (("postgres",), lambda dice: 0.0),
    "blobs_restored": (("blobs",), lambda dice: dice.uniform(0.5, 8.0)),  # to the checkpoints of so many seconds ago
    "tables_restored": (("postgres",), lambda dice: dice.uniform(0.5, 8.0)),  # to the state of so many seconds ago
    "drain": (PROCESSES, lambda dice: 0.0),
}
"""The faults by kind: their targets, and how their value is drawn."""
KINDS = tuple(FAULTS)


def draw_schedule(seed: int, kinds: tuple[str, ...] = KINDS, size: Size = SMALL) -> Schedule:
    """The schedule of a seed; small ones find a fault sooner, and are easier to understand."""
    dice = random.Random(seed)
    acts: list[Act] = []
    for number in range(dice.randint(1, size.jobs)):
        acts += _job(dice, f"job-{number}", _moment(dice, size) / 2)
    if dice.random() < 0.25:
        acts.append(Act(_moment(dice, size), "batch", "batch-1", dice.choice([0.0, 1.0]), count=dice.randint(1, 3)))
    faults = [_fault(dice, dice.choice(kinds), _moment(dice, size)) for _ in range(dice.randint(1, size.faults))]
    crew = PROCESSES if dice.random() < 0.3 else PROCESSES[:-1]
    owners = min(OWNERS, len({act.subject for act in acts}))  # those of the first jobs
    for number in range(dice.choice([0, 1, 1, 2])):
        acts += _endpoint(dice, f"endpoint-{number}", dice.randrange(owners), size)
    return Schedule(seed, tuple(acts), tuple(faults), crew, size.busy_s)


def _job(dice: random.Random, job_id: str, begin: float) -> list[Act]:
    moods = None
    if dice.random() < 0.7:
        moods = tuple(dice.choice([204, 204, 500, 0, 503]) for _ in range(dice.randint(0, 2)))
    created = Act(
        begin,
        "create",
        job_id,
        seconds=dice.choice([0.0, 0.5, 2.0, 4.0]),
        failures=dice.choice([0, 0, 0, 1, 3]),
        fatal=dice.random() < 0.1,
        moods=moods,
    )
    acts = [created]
    if dice.random() < 0.2:
        acts.append(replace(created, at_s=begin + dice.uniform(0.0, 6.0), kind="repeat"))
    if dice.random() < 0.25:
        kind = dice.choice(["cancel", "erase"])
        acts.append(Act(max(0.0, begin + dice.uniform(-1.0, 6.0)), kind, job_id))
    return acts


def _endpoint(dice: random.Random, endpoint_id: str, owner: int, size: Size) -> list[Act]:
    """An endpoint that is mostly registered before jobs run, may be removed again, and may be tried."""
    begin = _moment(dice, size) * dice.choice([0.1, 0.6])
    moods = tuple(dice.choice([204, 204, 500, 0, 503]) for _ in range(dice.randint(0, 3)))
    moods += (410,) if dice.random() < 0.15 else ()
    statuses = ("DONE", "KILLED") if dice.random() < 0.2 else ()
    acts = [Act(begin, "register", endpoint_id, moods=moods, count=owner, statuses=statuses)]
    for kind, chance in (("trial", 0.2), ("remove", 0.2)):
        if dice.random() < chance:
            acts.append(replace(acts[0], at_s=begin + dice.uniform(0.5, 6.0), kind=kind))
    return acts


def _fault(dice: random.Random, kind: str, at_s: float) -> Fault:
    targets, value = FAULTS[kind]
    return Fault(at_s, kind, dice.choice(targets), round(value(dice), 3))


def _moment(dice: random.Random, size: Size) -> float:
    return round(dice.uniform(0.0, size.busy_s), 3)
