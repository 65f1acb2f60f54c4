"""The fold of one partition's open work: open jobs, unexpanded batches, and recent ends.

A job leaves when its terminal event is read back from the log, not when a worker considers it done. The ids that ended
in the last two days are kept, so that a repeated JobCreated does not open a finished job again; so are erased ones, so
that late writes of a lost process are deleted too. An erasure is kept in any case until it was carried out. An older
end is not known here: a creation whose writer could not rule one out is `unchecked` until the id was looked up in the
whole partition.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from piperoll.domain import batch as batches
from piperoll.domain.batch import Batch
from piperoll.domain.ended_ids import EndedIds
from piperoll.domain.job import Job, evolve
from schemas.envelope import Fact
from schemas.events import BatchCreated, BatchErased, BatchExpanded, JobCreated, JobErased, JobStarted

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
    """The open work of one partition. Not thread-safe; folded by one task in offset order.

    `unchecked` are the open jobs and batches that must not begin before their ids were looked up.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    ended: EndedIds = field(default_factory=EndedIds)
    batches: dict[str, Batch] = field(default_factory=dict)
    parked: set[str] = field(default_factory=set)
    erased: dict[str, Erasure] = field(default_factory=dict)
    unchecked: set[str] = field(default_factory=set)

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
            self.unchecked.discard(fact.subject)
            self.ended.add(fact.subject, fact.known_at)
        else:
            self.jobs[fact.subject] = after
            self._note_check(fact)
        return Transition(before, after)

    def fold_batch(self, fact: Fact) -> Batch | None:
        """Fold one fact about a batch; return the batch if it must now be expanded."""
        self._note_erasure(fact)
        match fact.data:
            case BatchCreated() if fact.subject not in self.ended and fact.subject not in self.batches:
                batch = batches.evolve(None, fact)
                assert batch is not None  # the first BatchCreated always counts
                self.batches[fact.subject] = batch
                self._note_check(fact)
                return batch
            case BatchExpanded():
                self._end_batch(fact)
            case BatchErased():
                self._end_batch(fact)
        return None

    def confirm(self, subject: str) -> None:
        """The look-up found no earlier end: the job or batch is new."""
        self.unchecked.discard(subject)

    def dismiss(self, subject: str, at: datetime, erased: bool) -> None:
        """The look-up found that the job or batch had ended before: its creation was a repeat.

        If it was `erased`, the content that came with the repeat is to be deleted too.
        """
        self.unchecked.discard(subject)
        opened = self.jobs.pop(subject, None) or self.batches.pop(subject, None)
        self.ended.add(subject, at)
        if erased and opened is not None:
            claim = opened.parameters if isinstance(opened, Job) else None
            self.erased[subject] = Erasure(at, opened.owner, claim.uri if claim else None)

    def _note_check(self, fact: Fact) -> None:
        match fact.data:
            case JobCreated() | BatchCreated() as data if data.unchecked:
                self.unchecked.add(fact.subject)
            case JobStarted():
                self.unchecked.discard(fact.subject)  # the worker that started it had looked it up

    def _end_batch(self, fact: Fact) -> None:
        if self.batches.pop(fact.subject, None) is not None:
            self.unchecked.discard(fact.subject)
            self.ended.add(fact.subject, fact.known_at)

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
        """Drop the ids that ended too long before `now` to be needed: two days, and at most one day more.

        In a replay `now` is the time of the record that was read, so that memory does not grow with history.
        """
        self.ended.forget(now - REMEMBER_ENDED)

    def forget_erased(self, now: datetime) -> None:
        """Drop the ids that were erased too long ago to be needed. Erasures that are not done are kept."""
        horizon = now - REMEMBER_ENDED
        self.erased = {name: one for name, one in self.erased.items() if not one.done or one.at >= horizon}
