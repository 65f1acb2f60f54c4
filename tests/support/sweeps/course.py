"""What happens around sweeps: requests, jobs and batches, outages, restores of store and log, copies, a cut off worker.

A course knows which blobs the jobs in the log need, by rules of its own.
"""

import asyncio
import os
import shutil
import tempfile
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from schemas.events import BatchExpanded, JobCancelled, JobErased
from schemas.topics import DOCUMENT_EVENTS, JOB_EVENTS
from services.worker.cleanup.sweep.knowledge import WorkerKnowledge
from services.worker.cleanup.sweep.log_time import FRESH_S
from services.worker.cleanup.sweep.sweeper import StoreSweep
from tests.support.histories.documents import REMOVED, added
from tests.support.histories.jobs import completed, created
from tests.support.histories.lives import BATCH, started
from tests.support.runs.sweeping import HOUR_S, INTERVAL_S, Sweeping

TOPICS = (JOB_EVENTS, DOCUMENT_EVENTS)
LATEST_H = 34
"""Working time from a request's blobs to its fact: shorter than SETTLED by the interval in which it arrives, and by the
one that the log's time may catch up at a record."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the store, the blobs in it, and the ends that the log had then, in the topics of jobs and documents."""

    root: Path
    names: set[str]
    ends: tuple[dict[int, int], ...]


@dataclass(slots=True)
class Stale:
    """A worker that hears nothing from the log, and believes to have its partitions."""

    sweep: StoreSweep
    until: float


@dataclass
class Course:
    """What happened: the blobs that jobs in the log need, and the seconds until pending appends arrive."""

    one: Sweeping
    needed: set[str] = field(default_factory=set)
    pending: dict[str, float] = field(default_factory=dict)
    copies: list[Copy] = field(default_factory=list)
    stale: list[Stale] = field(default_factory=list)
    sweeps: int = 0

    # --- clients and workers -----------------------------------------------------------------------------------------

    async def request(self, number: int, hours: float) -> None:
        """A request for a job, or for a document, stores its blobs. Its append arrives later."""
        for subject in (f"job-{number}", f"doc-{number}"):
            if not await self.facts(subject):
                self.one.put(*inputs_of(subject))
                self.pending.setdefault(subject, min(hours, LATEST_H) * HOUR_S)

    async def lost_request(self, number: int, hours: float) -> None:
        """A request stores its blobs and never reaches the log. A later one of the same id stores the same."""
        for subject in (f"job-{number}", f"doc-{number}"):
            if subject not in self.pending and not await self.facts(subject):
                self.one.put(*inputs_of(subject))

    async def orphan(self, number: int, hours: float) -> None:
        self.one.put(f"job-orphan-{number}/in/p", f"batch-orphan-{number}/specs/s")
        self.one.put(f"documents/doc-orphan-{number}/a", f"folders/folder-orphan-{number}/details/a")

    async def remove(self, number: int, hours: float) -> None:
        """A document is removed."""
        if await self.facts(f"doc-{number}"):
            await self.one.append(f"doc-{number}", REMOVED)
            self.needed -= inputs_of(f"doc-{number}")

    async def run(self, number: int, hours: float) -> None:
        job = f"job-{number}"
        if f"{job}/in/p" in self.needed and not await self.has_ended(job):
            self.one.put(f"{job}/run/result.json")
            self.needed.add(f"{job}/run/result.json")
            for data in (started(1), completed(started(1).run)):
                await self.one.append(job, data)
            self._needs_no_upload(job)

    async def erase(self, number: int, hours: float) -> None:
        job = f"job-{number}"
        if not await self.facts(job):
            return
        await self.one.append(job, JobErased(by="acme"))
        self.needed -= {uri for uri in self.needed if f"{job}/" in f"{uri}/"}

    async def cancel(self, number: int, hours: float) -> None:
        job = f"job-{number}"
        if await self.facts(job):
            await self.one.append(job, JobCancelled(by="acme"))
            self._needs_no_upload(job)
        if await self.facts(f"job-of-batch-{number}"):
            await self.one.append(f"job-of-batch-{number}", JobCancelled(by="acme"))
            self.needed.discard(f"uploads/acme/{file_of(number)}/a.pdf")

    async def batch(self, number: int, hours: float) -> None:
        """A batch whose member reads an upload. Those of an earlier release have no markers."""
        batch, file = f"batch-{number}", file_of(number)
        needed = {f"{batch}/specs/s", f"{batch}/in/name", f"uploads/acme/{file}/a.pdf"}
        if not await self.facts(batch):
            specs = f'[{{"job_type":"pdf","parameters":{{"filename":"upload://{file}/a.pdf"}}}}]'
            self.one.write(f"{batch}/specs/s", specs.encode())
            self.one.put(*needed - {f"{batch}/specs/s"})
            if hours < 1:
                self.one.put(f"uses/acme/{file}/{batch}")
            await self.one.append(batch, BATCH)
            self.needed |= needed

    async def expand(self, number: int, hours: float) -> None:
        batch, member = f"batch-{number}", f"job-of-batch-{number}"
        if f"{batch}/specs/s" in self.needed:
            self.one.put(f"uses/acme/{file_of(number)}/{member}")
            await self.one.append(member, created())
            await self.one.append(batch, BatchExpanded(count=1))
            self.needed.discard(f"{batch}/specs/s")

    def _needs_no_upload(self, job: str) -> None:
        self.needed -= {uri for uri in self.needed if uri.startswith(("uploads", "uses")) and job in uri}

    # --- faults ------------------------------------------------------------------------------------------------------

    async def outage(self, number: int, hours: float) -> None:
        """Neither sweeps nor appends reach the log. Then a sweep comes first.

        It looks like at most one interval of working time to the sweeps, so appends come nearer by as much.
        """
        await asyncio.sleep(hours * HOUR_S)
        worked = min(hours * HOUR_S, INTERVAL_S)
        self.pending = {job: wait - worked for job, wait in self.pending.items()}

    async def restart(self, number: int, hours: float) -> None:
        """Another process takes over all partitions, or some while nobody has the others."""
        parts = range(self.one.settings.partitions)
        self.one.restart([part for part in parts if part % 2 != number % 2] if number else None)

    async def cut(self, number: int, hours: float) -> None:
        """A worker hears nothing from the log any more."""
        one = self.one
        backlogs, positions = deepcopy(one.knowledge.backlogs()), dict(one.knowledge._positions)
        knowledge = WorkerKnowledge(lambda: backlogs, lambda: positions)
        sweep = StoreSweep(one.settings, one.blobs, one.log, knowledge, lambda *_: None, one.loop.clock, one.chances)
        self.stale = [Stale(sweep, one.loop.time() + hours * HOUR_S)]

    async def back_up(self, number: int, hours: float) -> None:
        root = Path(tempfile.mkdtemp(dir=self.one.root.parent))
        shutil.copytree(self.one.root, root, dirs_exist_ok=True)
        self.copies.append(Copy(root, self.one.names(), await self._ends()))

    async def restore_store(self, number: int, hours: float) -> None:
        """The store goes back, with new times: what was stored since is lost with it, and is not the sweep's doing."""
        if self.copies:
            copy = self.copies[number % len(self.copies)]
            self.one.restore(copy.root)
            self.needed &= copy.names
            self.pending = {one: at for one, at in self.pending.items() if inputs_of(one) <= copy.names}
            await self.copy_with_times(number, hours - 25)

    async def restore_log(self, number: int, hours: float) -> None:
        """The log goes back, and services start over: inputs of jobs that it lost are needed no more, results are."""
        if self.copies:
            ends = self.copies[number % len(self.copies)].ends
            pairs = list(zip(ends, await self._ends(), strict=True))
            if any(end > now[part] for before, now in pairs for part, end in before.items()):
                return  # of a log that went back further meanwhile
            for topic, before in zip(TOPICS, ends, strict=True):
                self.one.log.go_back(topic, before)
            self.stale.clear()
            self.one.restart()
            self.needed = {uri for uri in self.needed if "/run/" in uri or await self.facts(owner_of(uri))}

    async def copy_with_times(self, number: int, hours: float) -> None:
        """All blobs are copied; their times become one that is so far from now."""
        at = (self.one.loop.clock() + timedelta(hours=hours)).timestamp()
        for path in self.one.root.rglob("*"):
            os.utime(path, (at, at))

    # --- time --------------------------------------------------------------------------------------------------------

    async def pass_time(self, hours: float) -> None:
        """Sweeps as time passes; appends arrive, each a moment before or after a sweep, or in it."""
        left = hours * HOUR_S
        await self.sweep()
        while left > 0:
            step = min(INTERVAL_S, left)
            await asyncio.sleep(step)
            left -= step
            self.pending = {job: wait - step for job, wait in self.pending.items()}
            await self.sweep()
            await self.arrive()

    async def arrive(self) -> None:
        for subject in [one for one, wait in self.pending.items() if wait <= 0]:
            del self.pending[subject]
            if not await self.facts(subject):
                self.needed |= inputs_of(subject)
            await self.one.append(subject, added() if subject.startswith("doc-") else created())

    async def sweep(self) -> None:
        self.sweeps += 1
        self.stale = [one for one in self.stale if self.one.loop.time() < one.until]
        for sweep in (self.one.sweep, *(one.sweep for one in self.stale)):
            plan = await sweep.plan(deep=self.sweeps % 3 != 0)
            if plan is None:
                continue
            await sweep.note(plan)
            if self.sweeps % 2:
                await asyncio.sleep(FRESH_S + 1)
                await self.arrive()
            await sweep.carry_out(plan, asyncio.Event())
            missing = self.needed - self.one.names()
            assert missing == set(), f"the sweep deleted {missing}"

    # --- what the log has --------------------------------------------------------------------------------------------

    async def facts(self, subject: str) -> list[str]:
        """The types of the facts of a job, batch or document."""
        logs = [self.one.log.records(topic, part) for topic in TOPICS for part in range(self.one.settings.partitions)]
        return [record.ce_type for records in logs for record in records if record.key_text == subject]

    async def _ends(self) -> tuple[dict[int, int], ...]:
        return tuple([await self.one.log.end_offsets(topic) for topic in TOPICS])

    async def has_ended(self, subject: str) -> bool:
        return any("Created" not in kind and "Started" not in kind for kind in await self.facts(subject))

    async def orphans(self) -> set[str]:
        """The folders that have inputs alone, and no fact."""
        folders: dict[str, set[str]] = {}
        for uri in self.one.names():
            if uri.startswith(("job-", "batch-", "documents/", "folders/")):
                folders.setdefault(owner_of(uri), set()).add(uri)
        inputs = {one for one, uris in folders.items() if not any("/run/" in uri for uri in uris)}
        return {one for one in inputs if not await self.facts(one)}


def inputs_of(job: str) -> set[str]:
    """The parameters of a job, an upload that it reads, and its marker; or the content of a document."""
    if job.startswith("doc-"):
        return {f"documents/{job}/a", f"documents/{job}/details/b"}
    return {f"{job}/in/p", f"uploads/acme/{job}/a.pdf", f"uses/acme/{job}/{job}"}


def file_of(number: int) -> str:
    """The upload that the member of a batch reads."""
    return f"file-ba{number}"


def owner_of(uri: str) -> str:
    """The job, batch, document or folder that a blob belongs to."""
    parts = uri.replace("/file-ba", "/batch-").split("/")
    return next(part for part in parts if part.startswith(("job-", "batch-", "doc-", "folder-")))
