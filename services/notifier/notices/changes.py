"""The changes of status that registered endpoints receive, from the fold of jobs. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from piperoll.domain.job import Job, evolve
from piperoll.domain.pending_changes import PendingChanges
from piperoll.job_types import job_types
from piperoll.log.record import Record
from schemas.claims import Claim
from schemas.devana import STATUSES, target_of
from schemas.envelope import Fact
from schemas.ids import delivery_id
from services.notifier.delivery.due_receivers import ReceiverKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a job's status, with the content of its notice.

    `number` is the fold's count of the job's facts, so a later change has a greater one. `at` is the append time;
    `late`: it was first seen too long after that, and is not sent.
    """

    number: int
    status: str
    at: datetime
    late: bool = False
    trial: bool = False
    job_type: str = ""
    target_id: str = ""
    parameters: Claim | None = None
    method: str | None = None
    pages: int | None = None
    bytes_in: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    error_code: str | None = None
    error: Claim | None = None


CHANGE: Final[TypeAdapter[Change]] = TypeAdapter(Change)
CHANGES: Final[TypeAdapter[list[Change]]] = TypeAdapter(list[Change])


@dataclass(frozen=True, slots=True)
class RegisteredEndpoint:
    """A receiver of changes. Token and secret are sealed; `since` is when the registration was appended."""

    endpoint_id: str
    owner: str
    origin: str
    url: str
    token: str | None
    secret: str
    statuses: frozenset[str]
    since: datetime

    def wants(self, change: Change) -> bool:
        """Whether it receives the change: only after its registration."""
        return change.at >= self.since and (not self.statuses or change.status in self.statuses)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedNotice:
    """A leased row: the next change of one job for one endpoint.

    `url` is None when the endpoint has ended. `attempts` counts those of this change.
    """

    job_id: str
    endpoint_id: str
    owner: str
    origin: str
    change: Change
    attempts: int
    leased_until: datetime
    url: str | None
    token: str | None
    secret: str | None

    @property
    def delivery_id(self) -> str:
        """The id for the receiver, the same in all attempts."""
        return notice_id(self.job_id, self.endpoint_id, self.change.number)


def owner_of(record: Record) -> str:
    """The owner in a record's envelope; empty in a foreign record."""
    return record.ce_owner


def notice_id(job_id: str, endpoint_id: str, number: int) -> str:
    """The delivery id of one change of a job to one endpoint."""
    return delivery_id(f"{job_id}/{endpoint_id}", "status", number)


def change_of(before: Job | None, after: Job, fact: Fact, oldest: datetime) -> Change | None:
    """The change of status by an accepted fact, or None.

    A job that ended before its creation was read changes with its creation; a job type without a Devana type has no
    changes. A change appended before `oldest` is late.
    """
    if not after.created or job_types().of(after.job_type).devana is None:
        return None
    if before is not None and before.created and before.status is after.status:
        return None
    return Change(
        number=after.sequence,
        status=STATUSES[after.status.value],
        at=fact.known_at,
        late=fact.known_at < oldest,
        job_type=after.job_type,
        target_id=target_of(after.job_id, after.target_id, after.batch_id),
        parameters=after.parameters,
        method=after.method,
        pages=after.pages,
        bytes_in=after.bytes_in,
        counts=after.counts,
        error_code=after.error_code if after.status.terminal else None,
        error=after.error if after.status.terminal else None,
    )


class Following:
    """Folds the jobs of owners with endpoints, and collects each endpoint's changes. `jobs` are the states before."""

    def __init__(self, endpoints: Sequence[RegisteredEndpoint], jobs: Mapping[str, Job], oldest: datetime) -> None:
        self._endpoints: dict[str, list[RegisteredEndpoint]] = {}
        for endpoint in endpoints:
            self._endpoints.setdefault(endpoint.owner, []).append(endpoint)
        self._oldest = oldest
        self.jobs = PendingChanges(evolve, jobs)
        self.notices: dict[tuple[str, str], list[Change]] = {}

    def concerns(self, owner: str) -> bool:
        """Whether the owner has an endpoint."""
        return owner in self._endpoints

    @property
    def receivers(self) -> set[ReceiverKey]:
        """The receivers with something due."""
        due = {endpoint_id for _, endpoint_id in self.notices}
        return {
            ReceiverKey(one.owner, one.origin)
            for some in self._endpoints.values()
            for one in some
            if one.endpoint_id in due
        }

    def take(self, fact: Fact) -> None:
        """Fold the next fact of a job."""
        folded = self.jobs.fold(fact.subject, fact)
        change = change_of(*folded, fact, self._oldest) if folded else None
        if change is None:
            return
        for endpoint in self._endpoints.get(fact.owner, ()):
            if endpoint.wants(change):
                self.notices.setdefault((fact.subject, endpoint.endpoint_id), []).append(change)

    def endpoint(self, endpoint_id: str) -> RegisteredEndpoint:
        """An endpoint by its id."""
        return next(one for some in self._endpoints.values() for one in some if one.endpoint_id == endpoint_id)
