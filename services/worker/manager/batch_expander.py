"""The process manager of BatchCreated: appends one JobCreated for each member, then BatchExpanded.

Members have deterministic ids, so the next owner of the partition repeats an interrupted expansion. It first reads
which members are in the log: a member that ended long ago must not be created again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

import structlog
from pydantic_core import from_json, to_json

from piperoll.clock import Clock
from piperoll.domain.batch import Batch
from piperoll.domain.creation import job_created
from piperoll.log.contract import Appender, LogView
from piperoll.log.parking import decode_accounted
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobStoreError
from schemas.events import BatchExpanded, Event, JobCreated
from schemas.ids import member_id
from schemas.topics import JOB_EVENTS
from services.worker.manager.facts import worker_fact

T = TypeVar("T")

log = structlog.get_logger()

CHUNK = 100  # concurrent writes of members: the disk and the broker are busy, the loop is not blocked
STORE_PAUSE_S = 2.0  # between two tries while the blob store does not answer


class Expander:
    """Runs expansions beside the log reader, which must not wait for them."""

    def __init__(self, appender: Appender, blobs: AsyncBlobs, history: LogView, clock: Clock) -> None:
        self._appender = appender
        self._blobs = blobs
        self._history = history
        self._clock = clock
        self._tasks: dict[asyncio.Task[None], int] = {}

    def expand(self, batch: Batch, partition: int, taken_over: bool) -> None:
        """Begin to expand a batch of an assigned partition."""
        task = asyncio.create_task(self._expand(batch, taken_over))
        self._tasks[task] = partition
        task.add_done_callback(self._ended)

    def stop(self, partitions: set[int]) -> None:
        """Stop the expansions of revoked partitions; the next owner continues them."""
        for task, partition in list(self._tasks.items()):
            if partition in partitions:
                task.cancel()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        del self._tasks[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background_work_failed", error=repr(error))

    async def _expand(self, batch: Batch, taken_over: bool) -> None:
        specs = await self._specs(batch)
        if specs is None:
            return
        written = await self._written(batch) if taken_over else set()
        members = [(index, member_id(batch.batch_id, index)) for index in range(batch.count)]
        missing = [(index, name) for index, name in members if name not in written]
        for start in range(0, len(missing), CHUNK):
            chunk = missing[start : start + CHUNK]
            await asyncio.gather(*(self._create(batch, name, specs[index]) for index, name in chunk))
        await self._append(batch.batch_id, batch.owner, BatchExpanded(count=batch.count))
        log.info("batch_expanded", batch_id=batch.batch_id, count=batch.count, created=len(missing))

    async def _specs(self, batch: Batch) -> list[dict[str, Any]] | None:
        """The members' specifications; None if they were deleted, which is final."""
        while True:
            try:
                return list(from_json(await self._blobs.get(batch.specs.uri)))
            except BlobMissingError:
                log.exception("batch_specs_missing", batch_id=batch.batch_id, uri=batch.specs.uri)
                return None
            except BlobStoreError as error:
                await _wait_for_store(batch, error)

    async def _written(self, batch: Batch) -> set[str]:
        """The members that are already in the log, in any partition, since the batch was appended."""
        begin = await self._history.offsets_at(JOB_EVENTS, batch.appended_at)
        end = await self._history.end_offsets(JOB_EVENTS)
        found = set()
        for record in await self._history.read_range(JOB_EVENTS, begin, end):
            fact = decode_accounted(record).fact  # the reader of its partition parks one without a fact
            if fact is not None and isinstance(fact.data, JobCreated) and fact.data.batch_id == batch.batch_id:
                found.add(fact.subject)
        return found

    async def _create(self, batch: Batch, job_id: str, spec: dict[str, Any]) -> None:
        body = to_json({name: spec[name] for name in ("job_type", "parameters", "resolved") if name in spec})
        claim = await self._outlast(batch, partial(self._blobs.put, f"{job_id}/in", body))
        for use in uploads.uses_by(batch.owner, job_id, spec["parameters"]):
            await self._outlast(batch, partial(self._blobs.mark, use))
        await self._append(job_id, batch.owner, job_created(spec, claim, batch_id=batch.batch_id))

    async def _outlast(self, batch: Batch, write: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await write()
            except BlobStoreError as error:
                await _wait_for_store(batch, error)

    async def _append(self, subject: str, owner: str, data: Event) -> None:
        await self._appender.append(JOB_EVENTS, worker_fact(subject, owner, data, subject, self._clock()))


async def _wait_for_store(batch: Batch, error: BlobStoreError) -> None:
    log.warning("batch_waits_for_blob_store", batch_id=batch.batch_id, error=str(error))
    await asyncio.sleep(STORE_PAUSE_S)
