"""Judges a world: the invariants over the log (piperoll.history), the tables against the log, and the receivers."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from piperoll.history import History, Violation, checkpoints_past_end
from piperoll.log.continuity import PositionLostError
from piperoll.log.record import partition_of
from piperoll.outages import StoppedWaitingError
from schemas.topics import ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS
from services.projector.verify import jobs as comparison
from services.worker.manager.runner import RunnerFailedError
from tests.support.simulation.noticing import notice_violations, open_notices
from tests.support.simulation.world import World

EXPECTED = (RunnerFailedError, PositionLostError, StoppedWaitingError)
"""Errors with which a process ends on purpose, so that another one takes over."""

READERS = {"checkpoints": "the projector", "notifier_checkpoints": "the notifier"}
"""The services that store positions in Postgres, by the table in the model."""
TOPICS = {
    "checkpoints": (JOB_EVENTS, JOB_DELIVERIES),
    "notifier_checkpoints": (JOB_EVENTS, JOB_DELIVERIES, ENDPOINT_EVENTS),
}
"""The topics that each reads."""


@dataclass(frozen=True, slots=True)
class Account:
    """What is not done yet."""

    work: bool
    hooks: bool
    tables: bool
    content: bool

    @property
    def settled(self) -> bool:
        """Whether nothing is."""
        return not (self.work or self.hooks or self.tables or self.content)


def account_of(world: World) -> Account:
    """What is not done yet in a world."""
    history = world.history
    waiting = any(
        job.has_webhook
        and job.created
        and not job.erased
        and (job.job_id not in history.hooks or history.hooks[job.job_id].final.state == "open")
        for job in history.jobs.values()
    )
    hooks = waiting or bool(world.postgres.committed["outbox"]) or bool(open_notices(world))
    return Account(
        not world.settled(),
        hooks,
        any(_is_behind(world, name) for name in READERS),
        bool(history.leftovers(_blobs_of_erased(world))),
    )


def _blobs_of_erased(world: World) -> dict[str, list[str]]:
    erased = (name for name, job in world.history.jobs.items() if job.erased)
    return {name: list(world.store.snapshot(name)) for name in erased}


def _is_behind(world: World, name: str) -> bool:
    """Whether the checkpoints in a table are not at the ends of the log."""
    rows = world.postgres.committed[name]
    for topic in TOPICS[name]:
        for part in range(world.partitions):
            row = rows.get((topic.name, part))
            if row is None or row["next_offset"] < world.log.end_of(topic, part):
                return True
    return False


def judge_world(world: World, acknowledged: Sequence[str]) -> list[Violation]:
    """What is wrong with a world that has had time to settle."""
    history = world.history
    return [
        *_failures(world),
        *(found for found in history.violations() if not _is_doubtful(world, found)),
        *history.end_violations(acknowledged),
        *history.leftovers(_blobs_of_erased(world)),
        *_tables(world, history),
        *_unheard(world, history),
        *_repeated(world),
        *notice_violations(world),
    ]


def _is_doubtful(world: World, found: Violation) -> bool:
    """Whether the order of a job's hooks is not promised: a restore of the tables met facts that the log lacked."""
    return found.invariant == "I4" and found.subject in world.doubtful and "progress" in found.sentence


def _failures(world: World) -> Iterator[Violation]:
    for name, failure in world.failures():
        for error in _leaves(failure):
            if not isinstance(error, EXPECTED):
                yield Violation("I0", name, f"ended with {error!r}")


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


def _tables(world: World, history: History) -> Iterator[Violation]:
    """I3 and I8: the tables are the fold of the log, and their checkpoints its ends."""
    tables = world.postgres.committed
    for job in history.jobs.values():
        row = tables["jobs"].get(job.job_id)
        if row is None:
            yield Violation("I3", job.job_id, "is in the log and not in the tables")
        else:
            yield from comparison.job_violations(job, row, partition_of(job.job_id, world.partitions))
    for row in tables["jobs"].values():
        if row["job_id"] not in history.jobs and (found := comparison.unexplained(row)) is not None:
            yield found
    events = defaultdict(list)
    for (job_id, _), row in sorted(tables["events"].items()):
        events[job_id].append(f"{row['sequence']}:{row['log_offset']}:{row['type']}")
    stored = {job_id: comparison.trail_digest(trail) for job_id, trail in events.items()}
    yield from comparison.trail_violations(history.trails, stored)
    for topic in (JOB_EVENTS, JOB_DELIVERIES):
        ends = {part: world.log.end_of(topic, part) for part in range(world.partitions)}
        for name in ("checkpoints", "notifier_checkpoints"):
            reached = {part: row["next_offset"] for (known, part), row in tables[name].items() if known == topic.name}
            yield from checkpoints_past_end(reached, ends)
    for name, service in READERS.items():
        if _is_behind(world, name):
            yield Violation("I3", service, "has not read the log to its end")


def _unheard(world: World, history: History) -> Iterator[Violation]:
    """I4: a final hook that the log has as delivered was received."""
    received = {one.job_id for one in world.receivers.received if one.phase != "processing"}
    for job_id, hooks in history.hooks.items():
        if hooks.final.state == "delivered" and job_id not in received:
            yield Violation("I4", job_id, "has a delivered webhook that its receiver never got")


def _repeated(world: World) -> Iterator[Violation]:
    """I4: nothing is sent once the log has the end of a job's webhook, whatever state the queue is in."""
    for one in world.receivers.received:
        if one.began_s > world.hooks_settled.get(one.job_id, one.began_s) and one.job_id not in world.doubtful:
            yield Violation("I4", one.job_id, f"was sent {one.delivery_id} although its webhook was settled in the log")


def digest_of(world: World) -> str:
    """A hash of the whole log, for comparing two courses of events."""
    found = hashlib.sha256()
    for topic in (JOB_EVENTS, JOB_DELIVERIES):
        for part in range(world.partitions):
            for record in world.log.records(topic, part):
                found.update(f"{record.timestamp_ms} {record.key!r} {record.value!r}".encode())
    return found.hexdigest()
