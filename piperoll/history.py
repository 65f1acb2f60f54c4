"""The history checker: the invariants I1-I8 (docs/architecture.md#consistency), checked against the log.

Used by `piperoll verify`, the simulation and the fault tests. Pure: takes facts in log order and returns violations. It
folds with `piperoll.domain` but checks each step by independent rules, so that errors of the fold are found. I5 is
about answers and not about the log: the fault tests check it, and by I3 each job of the log has its row.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from piperoll.domain import batch as batches
from piperoll.domain import final_hook
from piperoll.domain import job as jobs
from piperoll.domain.batch import Batch
from piperoll.domain.final_hook import FinalHook
from piperoll.domain.job import Job, Status
from piperoll.log.record import Position, partition_of
from schemas.envelope import Fact
from schemas.events import (
    BATCH_EVENTS,
    DELIVERY_EVENTS,
    BatchErased,
    JobCancelled,
    JobCreated,
    JobErased,
    JobStarted,
    WebhookAbandoned,
    WebhookDelivered,
    WebhookFailed,
    WebhookRedeliveryRequested,
)
from schemas.ids import member_id

NEXT_STATUSES: dict[Status, frozenset[Status]] = {
    Status.PENDING: frozenset(Status) - {Status.COMPLETED, Status.FAILED},  # only a run can complete or fail
    Status.PROCESSING: frozenset(Status),
    Status.COMPLETED: frozenset({Status.COMPLETED}),
    Status.FAILED: frozenset({Status.FAILED}),
    Status.CANCELLED: frozenset({Status.CANCELLED}),
}


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One broken invariant, about one job, batch or partition."""

    invariant: str
    subject: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.subject} {self.sentence}"


@dataclass(slots=True)
class Hooks:
    """The webhook deliveries of one job."""

    facts: set[str] = field(default_factory=set)
    terminal_ids: set[str] = field(default_factory=set)
    final: FinalHook = field(default_factory=FinalHook)


class History:
    """The facts observed so far. With `partitions` it also checks that each record is in the partition of its key.

    `jobs` and `batches` are the folded states. `trails` lists the accepted facts of each job as `sequence:offset:type`.
    `late_starts` are JobStarted facts after the end of their job: the fold ignores them, but many of them mean that a
    worker runs ended jobs again. `inputs` are the uris of the parameters of erased jobs.
    """

    def __init__(self, partitions: int | None = None) -> None:
        self._partitions = partitions
        self._found: list[Violation] = []
        self._ends: dict[str, int] = {}
        self._erased_batches: dict[str, datetime] = {}
        self._given_up: set[str] = set()
        self.jobs: dict[str, Job] = {}
        self.batches: dict[str, Batch] = {}
        self.hooks: dict[str, Hooks] = {}
        self.trails: dict[str, list[str]] = {}
        self.late_starts: list[tuple[str, JobStarted]] = []
        self.inputs: dict[str, str] = {}

    def observe(self, fact: Fact, position: Position | None = None) -> None:
        """Observe the next fact of a topic. Facts of a subject must be in log order; topics may interleave."""
        self._check_place(fact, position)
        if isinstance(fact.data, DELIVERY_EVENTS):
            self._observe_hook(fact)
        elif isinstance(fact.data, BATCH_EVENTS):
            if isinstance(fact.data, BatchErased):
                self._erased_batches[fact.subject] = fact.known_at
            after = batches.evolve(self.batches.get(fact.subject), fact)
            if after is not None:
                self.batches[fact.subject] = after
        else:
            self._observe_job(fact, position)

    def violations(self) -> list[Violation]:
        """Return the violations that later facts cannot resolve."""
        return sorted([*self._found, *self._double_ends(), *self._erased_content()])

    def end_violations(self, acknowledged: Iterable[str] = ()) -> list[Violation]:
        """Return the violations of a log that has ended: for the end of a test, not for a live log.

        `acknowledged` are the jobs that the API accepted (I1); all webhooks must be delivered or abandoned (I4).
        """
        return sorted([*self._missing(acknowledged), *self._open(), *self._unexpanded(), *self._undelivered()])

    def leftovers(self, blobs: Mapping[str, Sequence[str]]) -> list[Violation]:
        """Return violations of I7: erased jobs and batches that still have blobs; `blobs` are names by their ids."""
        return [
            Violation("I7", subject, f"is erased and still has {len(names)} blobs, such as {names[0]}")
            for subject, names in sorted(blobs.items())
            if names and self._is_erased(subject)
        ]

    def erased_before(self, time: datetime) -> list[str]:
        """Return the jobs and batches that were erased before a time."""
        jobs = [job.job_id for job in self.jobs.values() if job.erased and job.updated_at < time]
        return [*jobs, *(batch_id for batch_id, at in self._erased_batches.items() if at < time)]

    def _is_erased(self, subject: str) -> bool:
        return subject in self._erased_batches or (subject in self.jobs and self.jobs[subject].erased)

    def _observe_job(self, fact: Fact, position: Position | None) -> None:
        before = self.jobs.get(fact.subject)
        after = jobs.evolve(before, fact)
        if isinstance(fact.data, JobStarted) and before is not None and before.status.terminal:
            self.late_starts.append((fact.subject, fact.data))
        self._note_inputs(fact, before)
        if isinstance(fact.data, JobCancelled) and fact.source == "worker":
            self._given_up.add(fact.subject)
        if after is None or after is before:
            return
        self.jobs[fact.subject] = after
        offset = "" if position is None else position.offset
        self.trails.setdefault(fact.subject, []).append(f"{after.sequence}:{offset}:{fact.data.type_name()}")
        if after.status.terminal and (before is None or not before.status.terminal):
            self._ends[fact.subject] = self._ends.get(fact.subject, 0) + 1
        if before is not None:
            self._found += [Violation("I2", fact.subject, sentence) for sentence in regressions(before, after)]

    def _note_inputs(self, fact: Fact, before: Job | None) -> None:
        if isinstance(fact.data, JobErased) and before is not None and before.parameters is not None:
            self.inputs[fact.subject] = before.parameters.uri
        elif isinstance(fact.data, JobCreated) and before is not None and before.erased:
            self.inputs[fact.subject] = fact.data.parameters.uri

    def _observe_hook(self, fact: Fact) -> None:
        data = fact.data
        assert isinstance(data, WebhookDelivered | WebhookFailed | WebhookAbandoned | WebhookRedeliveryRequested)
        if not isinstance(data, WebhookRedeliveryRequested) and data.endpoint_id is not None:
            return  # I4 is about the job's own webhook; deliveries to endpoints have an id per status
        hooks = self.hooks.setdefault(fact.subject, Hooks())
        if fact.id in hooks.facts:
            return  # a repeat: the relay appends at least once
        hooks.facts.add(fact.id)
        if data.phase == "processing":
            if hooks.terminal_ids:
                self._found.append(Violation("I4", fact.subject, "got a progress webhook after its terminal one"))
            return
        hooks.terminal_ids.add(data.delivery_id)
        hooks.final = final_hook.evolve(hooks.final, data)
        if len(hooks.terminal_ids) == 2:  # reported once per job
            self._found.append(Violation("I4", fact.subject, "has terminal webhooks with two different ids"))

    def _check_place(self, fact: Fact, position: Position | None) -> None:
        if self._partitions is None or position is None:
            return
        if found := misplaced_record(fact.subject, position, self._partitions):
            self._found.append(found)

    def _double_ends(self) -> Iterator[Violation]:
        for job_id, count in self._ends.items():
            if count > 1:
                yield Violation("I1", job_id, f"reached a terminal state {count} times")

    def _erased_content(self) -> Iterator[Violation]:
        for job in self.jobs.values():
            if job.erased and (job.parameters or job.result or job.error):
                yield Violation("I7", job.job_id, "is erased and still names content")

    def _missing(self, acknowledged: Iterable[str]) -> Iterator[Violation]:
        for job_id in acknowledged:
            if job_id not in self.jobs or not self.jobs[job_id].created:
                yield Violation("I1", job_id, "was acknowledged and is not in the log")

    def _open(self) -> Iterator[Violation]:
        for job in self.jobs.values():
            if not job.status.terminal:
                yield Violation("I1", job.job_id, f"has not ended: it is {job.status.value}")

    def _unexpanded(self) -> Iterator[Violation]:
        for batch in self.batches.values():
            if batch.erased:
                continue  # its members may never have been created
            members = (member_id(batch.batch_id, index) for index in range(batch.count))
            missing = sum(not self._has_member(member) for member in members)
            if missing:
                yield Violation("I1", batch.batch_id, f"lacks {missing} of its {batch.count} members")
            if not batch.expanded:
                yield Violation("I1", batch.batch_id, "was never acknowledged as expanded")

    def _has_member(self, job_id: str) -> bool:
        """Whether a member was created, or cancelled by the worker that could not create it."""
        return job_id in self._given_up or (job_id in self.jobs and self.jobs[job_id].created)

    def _undelivered(self) -> Iterator[Violation]:
        for job in self.jobs.values():
            hooks = self.hooks.get(job.job_id)
            due = job.has_webhook and job.created and job.status.terminal and not job.erased
            if due and (hooks is None or hooks.final.state == "open"):
                yield Violation("I4", job.job_id, "ended, and its webhook was neither delivered nor abandoned")


def misplaced_record(subject: str, position: Position, partitions: int) -> Violation | None:
    """Return a violation of I2 if the record is not in the partition of its key."""
    home = partition_of(subject, partitions)
    if position.partition == home:
        return None
    return Violation("I2", subject, f"has a record at {position}, but its key belongs to partition {home}")


def regressions(before: Job, after: Job) -> list[str]:
    """Return the violations of I2 in the step from state `before` to `after` by one fact, as sentences."""
    found = []
    if after.status not in NEXT_STATUSES[before.status]:
        found.append(f"went from {before.status.value} to {after.status.value}")
    if after.sequence != before.sequence + 1:
        found.append(f"went from sequence {before.sequence} to {after.sequence}")
    for name in ("updated_at", "attempt", "retries", "losses", "percent"):
        old, new = getattr(before, name), getattr(after, name)
        if new < old:
            found.append(f"has a decreasing {name}, from {old} to {new}")
    for name in ("created", "erased"):
        if getattr(before, name) and not getattr(after, name):
            found.append(f"was {name} and is no longer")
    for name in ("owner", "ended_at", "started_at"):
        if getattr(before, name) is not None and getattr(before, name) != getattr(after, name):
            found.append(f"changed its {name}")
    return found


def checkpoints_past_end(stored: Mapping[int, int], ends: Mapping[int, int]) -> list[Violation]:
    """Return violations of I8: checkpoints past the end of the log, per partition."""
    return [
        Violation("I8", f"partition {part}", f"has its checkpoint at {offset}, but the log ends at {ends.get(part, 0)}")
        for part, offset in sorted(stored.items())
        if offset > ends.get(part, 0)
    ]
