"""The fold of one partition's open work: open jobs, unexpanded batches, and recent ends.

A job leaves when its terminal event is read back from the log, not when a worker considers it done. The ids that ended
in the last two days are kept, so that a repeated JobCreated does not open a finished job again; so are erased ones, so
that late writes of a lost process are deleted too. An erasure is kept in any case until it was carried out.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from piperoll.domain import batch as batches
from piperoll.domain.batch import Batch
from piperoll.domain.job import Job, evolve
from schemas.envelope import Fact
from schemas.events import BatchCreated, BatchErased, BatchExpanded, JobCreated, JobErased

REMEMBER_ENDED = timedelta(hours=48)
"""Longer than any writer repeats a JobCreated (clients' retries, batch takeovers), and than any run may last (24 h)."""


@dataclass(frozen=True, slots=True)
class Transition:
    """The effect of one fact on a job. `before is after` when it did not count."""

    before: Job | None
    after: Job | None

    @property
    def accepted(self) -> bool:
        """Whether the fact counted."""
        return self.before is not self.after


@dataclass(frozen=True, slots=True)
class Erasure:
    """The append time of an erasure, the owner, the uri of a job's parameters if known, and whether it is carried out.

    `done` is False again after each later fact of the subject: its writer may have stored more.
    """

    at: datetime
    owner: str
    parameters: str | None = None
    done: bool = False


@dataclass(slots=True)
class Backlog:
    """The open work of one partition. Not thread-safe; folded by one task in offset order."""

    jobs: dict[str, Job] = field(default_factory=dict)
    ended: dict[str, datetime] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    parked: set[str] = field(default_factory=set)
    erased: dict[str, Erasure] = field(default_factory=dict)

    def fold_job(self, fact: Fact) -> Transition:
        """Fold one fact about a job. Facts about a job that has ended are not accepted."""
        self._note_erasure(fact)
        if fact.subject in self.ended:
            return Transition(None, None)
        before = self.jobs.get(fact.subject)
        after = evolve(before, fact)
        if after is before or after is None:
            return Transition(before, before)
        if after.status.terminal:
            self.jobs.pop(fact.subject, None)
            self.ended[fact.subject] = fact.known_at
        else:
            self.jobs[fact.subject] = after
        return Transition(before, after)

    def fold_batch(self, fact: Fact) -> Batch | None:
        """Fold one fact about a batch; return the batch if it must now be expanded."""
        self._note_erasure(fact)
        match fact.data:
            case BatchCreated() if fact.subject not in self.ended and fact.subject not in self.batches:
                batch = batches.evolve(None, fact)
                assert batch is not None  # the first BatchCreated always counts
                self.batches[fact.subject] = batch
                return batch
            case BatchExpanded():
                self._end_batch(fact)
            case BatchErased():
                self._end_batch(fact)
        return None

    def _end_batch(self, fact: Fact) -> None:
        if self.batches.pop(fact.subject, None) is not None:
            self.ended[fact.subject] = fact.known_at

    def _note_erasure(self, fact: Fact) -> None:
        """Keep the uri of an erased job's parameters, from its creation or from its erasure."""
        noted, job = self.erased.get(fact.subject), self.jobs.get(fact.subject)
        match fact.data:
            case BatchErased():
                self.erased[fact.subject] = Erasure(fact.known_at, fact.owner)
            case JobErased() as data:
                claim = data.parameters or (job.parameters if job else None)
                uri = claim.uri if claim else noted.parameters if noted else None
                self.erased[fact.subject] = Erasure(fact.known_at, fact.owner, uri)
            case JobCreated() as data if noted is not None:
                self.erased[fact.subject] = replace(noted, parameters=data.parameters.uri, done=False)
            case _ if noted is not None:
                self.erased[fact.subject] = replace(noted, done=False)

    def carried_out(self, subject: str, erasure: Erasure) -> bool:
        """Note that an erasure is done; return whether it is: a fact folded meanwhile requires a repeat."""
        if self.erased.get(subject) is not erasure:
            return subject not in self.erased
        self.erased[subject] = replace(erasure, done=True)
        return True

    def forget_ended(self, now: datetime) -> None:
        """Drop the ids that ended or were erased too long ago to be needed. Erasures that are not done are kept."""
        horizon = now - REMEMBER_ENDED
        self.ended = {name: at for name, at in self.ended.items() if at >= horizon}
        self.erased = {name: one for name, one in self.erased.items() if not one.done or one.at >= horizon}
