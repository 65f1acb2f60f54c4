"""The fold of a job's facts for its hooks: the job's state, and the hooks that become due. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from piperoll.domain.job import Job, evolve
from schemas.envelope import Fact
from schemas.events import JobProgress
from services.notifier.delivery.due_receivers import ReceiverKey
from services.notifier.hooks.order import FinalPhase, HookProgress, final_phase
from services.notifier.hooks.webhook import JobWebhook

State = Literal["open", "late", "held", "delivered", "abandoned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A job in the queue, as in the log. `due`: these facts made a hook due.

    Without a webhook it is a stub: a job that ended before its creation was read, or whose parameters are missing in
    the blob store. `job` is None while the job is known by its deliveries only.
    """

    job: Job | None = None
    webhook: JobWebhook | None = None
    progress: HookProgress | None = None
    final_phase: FinalPhase | None = None
    final_at: datetime | None = None
    state: State = "open"
    due: bool = False

    @property
    def receiver(self) -> ReceiverKey | None:
        """The receiver of its hooks; None for a stub."""
        return ReceiverKey(self.job.owner, self.webhook.origin) if self.job and self.webhook else None


NOTHING = Tracked()


def follow(tracked: Tracked | None, fact: Fact, webhook: JobWebhook | None, oldest: datetime) -> Tracked | None:
    """The tracked job after a fact; the same object when nothing changed, None while there is nothing to track.

    `webhook` is that of a JobCreated, None also if its parameters are missing; a job created without one is not
    tracked. Facts from before `oldest` are too old to be sent: progress is dropped, an end is late.
    """
    before = tracked or NOTHING
    job = evolve(before.job, fact)
    if job is None or job is before.job:
        return tracked
    if tracked is None and job.created and not job.has_webhook:
        return None
    now_known = replace(before, job=job, webhook=before.webhook or webhook)
    if job.erased and before.state not in ("open", "late"):
        return replace(now_known, webhook=None)
    # A job that was erased before it began, and may be a repeat of one whose hook was sent, is not reported.
    too_old = fact.known_at < oldest or (job.erased and job.unchecked)
    return _with_hooks(now_known, job, fact, too_old)


def _with_hooks(tracked: Tracked, job: Job, fact: Fact, too_old: bool) -> Tracked:
    """The hooks that this fact makes due. A settled job has none due; its end is kept for a redelivery."""
    if tracked.webhook is None:
        return _without_receiver(tracked, job)
    if job.status.terminal and tracked.final_phase is None and tracked.state not in ("open", "late"):
        return replace(tracked, final_phase=final_phase(job.status), final_at=job.ended_at)
    if tracked.state != "open":
        return tracked
    if isinstance(fact.data, JobProgress) and not too_old:
        progress = HookProgress(job.sequence, job.step or "", job.percent, job.page, job.pages)
        return replace(tracked, progress=progress, due=True)
    if job.status.terminal and tracked.final_phase is None:
        ended = replace(tracked, final_phase=final_phase(job.status), final_at=job.ended_at)
        return replace(ended, state="late", progress=None, due=False) if too_old else replace(ended, due=True)
    return tracked


def _without_receiver(tracked: Tracked, job: Job) -> Tracked:
    """Note the end of a job whose parameters are missing: it is given up visibly, unless the job was erased."""
    lost = job.created and job.has_webhook and not job.erased and job.status.terminal
    if not lost or tracked.final_phase is not None or tracked.state != "open":
        return tracked
    return replace(tracked, final_phase=final_phase(job.status), final_at=job.ended_at)
