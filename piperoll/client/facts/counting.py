"""Which facts count. Writers repeat facts, and a lost run may report after it was superseded; the log keeps all of it.

The rules for a job are those of the fold (docs/architecture.md#the-states-of-a-job), without what it keeps for readers.
What is not known, because the reader began later or has forgotten it, counts. Pure.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from piperoll.client.facts.decoding import FollowedFact

MOST_ENDED = 100_000
"""Ended jobs, and ids of other facts, that are remembered, the newest of them."""
OF_RUN = frozenset({"JobProgress", "JobReleased", "JobRetryScheduled", "JobCompleted", "JobFailed"})


@dataclass(slots=True)
class _Standing:
    """What is known of a job. `attempt` and `run` are None while they are not; `run` is empty between two runs."""

    created: bool = False
    attempt: int | None = None
    run: str | None = None
    progress: int = 0
    ended: bool = False
    erased: bool = False


class CountedFacts:
    """Decides fact by fact, in the order of each partition."""

    def __init__(self, most: int = MOST_ENDED) -> None:
        self._most = most
        self._open: dict[str, _Standing] = {}
        self._ended: OrderedDict[str, _Standing] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()

    def counts(self, fact: FollowedFact) -> bool:
        """Whether the fact counts; a fact that does not changes nothing."""
        if not fact.name.startswith("Job"):
            return self._is_new(fact.id)
        standing = self._open.get(fact.subject) or self._ended.get(fact.subject) or _Standing()
        if not _accept(standing, fact):
            return False
        self._keep(fact.subject, standing)
        return True

    def _is_new(self, fact_id: str) -> bool:
        if fact_id in self._seen:
            return False
        self._seen[fact_id] = None
        _forget(self._seen, self._most)
        return True

    def _keep(self, subject: str, standing: _Standing) -> None:
        if not standing.ended:
            self._open[subject] = standing
            return
        self._open.pop(subject, None)
        self._ended[subject] = standing
        self._ended.move_to_end(subject)
        _forget(self._ended, self._most)


def _forget(remembered: OrderedDict[str, Any], most: int) -> None:
    while len(remembered) > most:
        remembered.popitem(last=False)


def _number(fact: FollowedFact, name: str) -> int:
    value = fact.data.get(name)
    return value if isinstance(value, int) else 0


def _accept(job: _Standing, fact: FollowedFact) -> bool:
    """Take a fact into what is known of its job; return whether it counts."""
    if fact.name == "JobCreated":
        return _create(job)
    if fact.name in ("JobCancelled", "JobErased"):
        return _end(job, erased=fact.name == "JobErased")
    if job.ended:
        return False
    if fact.name == "JobStarted":
        return _start(job, _number(fact, "number"), str(fact.data.get("run", "")))
    return fact.name not in OF_RUN or _go_on(job, fact)


def _create(job: _Standing) -> bool:
    fresh = not job.created
    job.created = True
    if fresh and job.attempt is None and job.run is None:
        job.attempt, job.run = 0, ""
    return fresh


def _end(job: _Standing, *, erased: bool) -> bool:
    counts = not job.ended or (erased and not job.erased)
    job.ended = True
    job.erased = job.erased or erased
    return counts


def _start(job: _Standing, number: int, run: str) -> bool:
    if job.attempt is not None and number != job.attempt + 1:
        return False
    job.created, job.attempt, job.run, job.progress = True, number, run, 0
    return True


def _go_on(job: _Standing, fact: FollowedFact) -> bool:
    run = str(fact.data.get("run", ""))
    if job.run is not None and run != job.run:
        return False
    if fact.name == "JobProgress":
        sequence = _number(fact, "sequence")
        if sequence <= job.progress:
            return False
        job.progress, job.run = sequence, run
    elif fact.name in ("JobCompleted", "JobFailed"):
        job.ended = True
    else:
        job.run = ""
    job.created = True
    return True
