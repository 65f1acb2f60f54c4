"""Carries out removals: erases the jobs about a document or folder, and deletes its content, as chores."""

import asyncio
import random
from collections.abc import Mapping
from datetime import datetime
from functools import partial

import structlog

from piperoll.clock import Clock
from piperoll.domain.removals import DueRemoval, Removals
from piperoll.log.contract import Appender
from piperoll.store import document_paths as documents
from piperoll.store import targets
from piperoll.store.blobs import AsyncBlobs
from schemas.events import JobErased
from schemas.topics import JOB_EVENTS
from services.worker import metrics
from services.worker.cleanup.chores import Chores
from services.worker.manager.facts import worker_fact

log = structlog.get_logger()

APPEND_S = 30.0  # for an acknowledgement; a chore that waits longer is postponed
AT_ONCE = 200  # concurrent appends: others get their turn
REASONS = {False: "DOCUMENT_REMOVED", True: "FOLDER_REMOVED"}


class Remover:
    """Carries out what is due. The API does the same at once; this also happens when the API died meanwhile."""

    def __init__(self, appender: Appender, blobs: AsyncBlobs, clock: Clock, chances: random.Random) -> None:
        self._appender = appender
        self._blobs = blobs
        self._clock = clock
        self._chores = Chores(chances)
        self._removals: dict[str, datetime] = {}

    def problem(self) -> str | None:
        """See Chores.problem."""
        return self._chores.problem()

    async def run(self, stopping: asyncio.Event) -> None:
        """Carry out until `stopping` is set. The next owner of the partitions has the rest in its checkpoints."""
        await self._chores.run(stopping)

    def carry_out(self, subject: str, removals: Removals) -> None:
        """Do what is due for a document or folder."""
        if removals.due[subject].removed:
            self._removals[subject] = removals.due[subject].at
        self._chores.add(f"the removal of {subject}", partial(self._carry_out, subject, removals))

    def measure(self, now: datetime) -> None:
        """Set the gauges of the removals that are not carried out."""
        age = (now - min(self._removals.values())).total_seconds() if self._removals else 0.0
        metrics.PENDING_REMOVALS.set(len(self._removals))
        metrics.OLDEST_PENDING_REMOVAL.set(max(age, 0.0))

    async def _carry_out(self, subject: str, removals: Removals) -> None:
        due = removals.due.get(subject)
        if due is not None and (due.removed or await documents.was_removed(self._blobs, subject)):
            await self._remove(subject, due)
        if due is not None:
            removals.carried_out(subject, due)
        if subject not in removals.due:
            self._removals.pop(subject, None)

    async def _remove(self, subject: str, due: DueRemoval) -> None:
        """The marker first, then what writers stored before they looked for it."""
        count = await documents.delete_content(self._blobs, subject)
        about = await documents.jobs_about(self._blobs, subject)
        aimed = await targets.jobs_with(self._blobs, due.owner, subject)
        marks = {job_id: documents.job_mark(subject, job_id) for job_id in about}
        marks |= {job_id: targets.mark_of(due.owner, subject, job_id) for job_id in aimed}
        jobs = list(marks)
        for begin in range(0, len(jobs), AT_ONCE):
            await self._erase({job_id: marks[job_id] for job_id in jobs[begin : begin + AT_ONCE]}, subject, due.owner)
        if count or jobs:
            log.info("removal_carried_out", subject=subject, blobs=count, jobs=len(jobs))

    async def _erase(self, marks: Mapping[str, str], subject: str, owner: str) -> None:
        """Erase jobs, each with its marker, so that a further try has the rest to do. Raises the first error."""
        data = JobErased(by=owner, reason=REASONS[documents.is_folder(subject)])
        facts = [worker_fact(job_id, owner, data, job_id, self._clock()) for job_id in marks]
        appends = (self._appender.append(JOB_EVENTS, fact, APPEND_S) for fact in facts)
        results = await asyncio.gather(*appends, return_exceptions=True)
        failed = {
            mark: one for mark, one in zip(marks.values(), results, strict=True) if isinstance(one, BaseException)
        }
        await self._blobs.delete([mark for mark in marks.values() if mark not in failed])
        for error in failed.values():
            raise error
