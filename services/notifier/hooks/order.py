"""The order in which the hooks of a job are sent. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from piperoll.domain.job import Job, Status
from schemas.events import Phase
from schemas.ids import delivery_id

FinalPhase = Literal["completed", "error"]


@dataclass(frozen=True, slots=True)
class HookProgress:
    """The newest progress of a job; `number` is the fold's count of its facts, which increases."""

    number: int
    step: str
    percent: int
    page: int | None = None
    pages: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedHook:
    """A leased row of the queue, with all that a hook needs. `attempts` counts those of the final hook.

    `request` is the requested redelivery, `attempts_before` the number of attempts before it.
    """

    job_id: str
    owner: str
    origin: str
    url: str
    token: str | None
    client_id: str
    job: Job
    progress: HookProgress | None
    progress_attempted: bool
    progress_muted: bool
    final_phase: FinalPhase | None
    final_at: datetime | None
    attempts: int
    leased_until: datetime
    request: str | None = None
    attempts_before: int = 0


@dataclass(frozen=True, slots=True)
class Hook:
    """One POST to make. The delivery id is the same over its attempts; a job has one terminal id.

    `turn` is the attempt's place in the schedule, from 1; a redelivery starts at 1 again.
    """

    delivery_id: str
    phase: Phase
    attempt: int
    progress: HookProgress | None = None
    turn: int = 1

    @property
    def final(self) -> bool:
        """Whether it reports the end of the job."""
        return self.progress is None


def final_phase(status: Status) -> FinalPhase:
    """The phase of the final hook; a cancelled job is an error (docs/contract/secretary.md#webhooks)."""
    return "completed" if status is Status.COMPLETED else "error"


def next_hook(claimed: ClaimedHook) -> Hook | None:
    """Return the hook to send now, or None when nothing is left to send.

    Progress comes first while the job is open, and once before the final hook if none was ever attempted; after that
    the final hook does not wait for progress (docs/architecture.md#the-notifier). A redelivery is of the final hook
    only.
    """
    progress, final = claimed.progress, claimed.final_phase
    wanted = progress is not None and not claimed.progress_muted and claimed.request is None
    if progress is not None and wanted and (final is None or not claimed.progress_attempted):
        return Hook(delivery_id(claimed.job_id, "processing", progress.number), "processing", 1, progress)
    if final is not None:
        attempt = claimed.attempts + 1
        turn = attempt - claimed.attempts_before
        return Hook(delivery_id(claimed.job_id, "final"), final, attempt, turn=turn)
    return None
