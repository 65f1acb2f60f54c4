"""An eraser over a blob store, and blobs for it to delete."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from piperoll.domain.backlog import Backlog, Erasure
from piperoll.domain.job import Status
from piperoll.store.blobs import AsyncBlobs
from schemas.topics import JOB_EVENTS
from services.worker.cleanup.erasure import Eraser
from services.worker.cleanup.upload_uses import UploadUses
from services.worker.run.cache import CacheEntry
from tests.support.histories.jobs import BEGAN, claim, created, fact
from tests.support.histories.lives import folded
from tests.support.memory_log import MemoryLog
from tests.support.waiting import wait_until

ENDED = replace(folded(created()), job_id="job-1", status=Status.COMPLETED, attempt=2, run="run-2")


def eraser_over(
    blobs: AsyncBlobs, await_exit: Callable[[str], Awaitable[None]], log: MemoryLog | None = None
) -> Eraser:
    """An eraser of a worker that has none of the partitions of `log`."""
    history = log or MemoryLog()
    return Eraser(blobs, await_exit, UploadUses(blobs, history, history.partitions, lambda job_id: False))


class Erasing:
    """An eraser at work over a backlog; `exits` are the jobs whose child has not ended."""

    def __init__(self, blobs: AsyncBlobs) -> None:
        self.blobs = blobs
        self.backlog = Backlog()
        self.exits: dict[str, asyncio.Event] = {}
        self.log = MemoryLog()
        self._begin()

    def _begin(self) -> None:
        self.eraser = eraser_over(self.blobs, self._exit, self.log)
        self.stopping = asyncio.Event()
        self.task = asyncio.create_task(self.eraser.run(self.stopping))

    async def restart(self) -> None:
        """Another process takes over what is not carried out."""
        await self.stop()
        self._begin()
        for subject, one in self.backlog.erased.items():
            if not one.done:
                self.eraser.erase(subject, self.backlog)

    async def _exit(self, job_id: str) -> None:
        if job_id in self.exits:
            await self.exits[job_id].wait()

    async def created(self, job_id: str) -> None:
        """The log gets a job."""
        await self.log.append(JOB_EVENTS, fact(job_id, created()))

    def erase(self, subject: str, parameters: str | None = None, at: datetime = BEGAN) -> None:
        """As the log reader does after an erasure of the owner acme."""
        self.backlog.erased[subject] = Erasure(at, "acme", parameters)
        self.eraser.erase(subject, self.backlog)

    async def done(self, subject: str) -> None:
        """Wait until the backlog knows that the erasure is carried out."""
        await wait_until(lambda: self.backlog.erased[subject].done, 5, f"the erasure of {subject} to be carried out")

    async def gone(self, folder: str) -> None:
        async def empty() -> bool:
            return not await self.blobs.names(folder)

        await wait_until(empty, 5, f"{folder} to be empty")

    async def stop(self) -> None:
        self.stopping.set()
        await self.task


def cache_entry(blobs: AsyncBlobs, made_by: str, named: str) -> str:
    """An entry that `made_by` wrote; it names `named`, who may have replaced it since."""
    uri = "cache/acme/k1"
    kept = CacheEntry(job_id=named, run="run-1", made_at=BEGAN, result=claim("r"), files=())
    blobs.sync.put_named(f"{made_by}/{uri}", b"", "application/octet-stream")
    blobs.sync.replace(uri, kept.model_dump_json().encode())
    return uri


def put(blobs: AsyncBlobs, *uris: str) -> None:
    for uri in uris:
        blobs.sync.put_named(uri, b"content", "text/plain")
