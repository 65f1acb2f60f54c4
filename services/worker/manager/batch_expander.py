"""The process manager of BatchCreated: appends one JobCreated for each member, then BatchExpanded.

Members have deterministic ids, so the next owner of the partition repeats an interrupted expansion. It first reads
which members are in the log: a member that ended long ago must not be created again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from pydantic import ValidationError
from pydantic_core import from_json, to_json

from piperoll.background import Background
from piperoll.clock import Clock
from piperoll.domain.batch import Batch
from piperoll.domain.creation import job_created
from piperoll.domain.ended_ids import IdSet
from piperoll.log.contract import Appender, LogView
from piperoll.store import document_paths as documents
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobStoreError, BlobUnreadableError
from piperoll.store.paths import refusal_of
from schemas.events import BatchExpanded, Event, JobCancelled, JobCreated, JobErased
from schemas.ids import member_id
from schemas.topics import JOB_EVENTS
from services.worker.manager.facts import worker_fact
from services.worker.manager.written_members import MemberSearch

T = TypeVar("T")

log = structlog.get_logger()

CHUNK = 100  # concurrent writes of members: the disk and the broker are busy, the loop is not blocked
LOST_AFTER = timedelta(minutes=10)  # longer than a store is restored or an erasure takes to reach the log
AT_ONCE = 4  # batches in memory: the specifications of one are some 20 MB
STORE_PAUSE_S = 2.0  # between two tries while the blob store does not answer


class Expander:
    """Runs expansions beside the log reader, which must not wait for them."""

    def __init__(
        self, appender: Appender, blobs: AsyncBlobs, history: LogView, background: Background, clock: Clock
    ) -> None:
        self._appender = appender
        self._blobs = blobs
        self._members = MemberSearch(history)
        self._room = asyncio.Semaphore(AT_ONCE)
        self._background = background
        self._clock = clock
        self._tasks: dict[asyncio.Task[None], int] = {}

    def expand(self, batch: Batch, partition: int, taken_over: bool) -> None:
        """Begin to expand a batch of an assigned partition. What fails is tried again until it succeeds."""
        task = asyncio.create_task(self._until_expanded(batch, taken_over))
        self._tasks[task] = partition
        task.add_done_callback(self._tasks.pop)

    def stop(self, partitions: set[int]) -> None:
        """Stop the expansions of revoked partitions; the next owner continues them."""
        for task, partition in list(self._tasks.items()):
            if partition in partitions:
                task.cancel()

    async def _until_expanded(self, batch: Batch, taken_over: bool) -> None:
        begun = [taken_over]  # a second try finds members of the first in the log
        lost_since: list[datetime] = []

        async def attempt() -> None:
            again, begun[0] = begun[0], True
            await self._expand(batch, again, lost_since)

        await self._background.until_done("the expansion", attempt, batch.batch_id)

    async def _expand(self, batch: Batch, begun: bool, lost_since: list[datetime]) -> None:
        written = (await self._members.written(batch)).members if begun else IdSet()
        async with self._room:
            try:
                specs = _parsed(await self._outlast(batch, partial(self._blobs.get_claimed, batch.specs)))
            except (BlobMissingError, BlobUnreadableError) as error:
                await self._without_specs(batch, lost_since, error)
                return
            missing = [(index, name) for index, name in _members(batch) if name not in written]
            await _in_chunks(missing, lambda member: self._create(batch, member[1], specs[member[0] : member[0] + 1]))
        await self._append(batch.batch_id, batch.owner, BatchExpanded(count=batch.count))
        log.info("batch_expanded", batch_id=batch.batch_id, count=batch.count, created=len(missing))

    async def _without_specs(self, batch: Batch, lost_since: list[datetime], error: Exception) -> None:
        """End the members of a batch whose specifications are lost. Raises `error` until that is certain.

        Another worker may have expanded it, or it is being erased: then there is nothing to do.
        """
        found = await self._members.written(batch)
        if batch.batch_id in found.ended_batches:
            log.info("batch_ended_elsewhere", batch_id=batch.batch_id)
            return
        lost_since.append(self._clock())
        if lost_since[-1] - lost_since[0] < LOST_AFTER:
            raise error
        lost = [name for _, name in _members(batch) if name not in found.members]
        await _in_chunks(lost, lambda name: self._cancel(batch, name))
        await self._append(batch.batch_id, batch.owner, BatchExpanded(count=batch.count))
        log.error("batch_specs_lost", batch_id=batch.batch_id, uri=batch.specs.uri, cancelled=len(lost))

    async def _cancel(self, batch: Batch, job_id: str) -> None:
        await self._append(job_id, batch.owner, JobCancelled(by=batch.owner, reason="SPECIFICATIONS_LOST"))

    async def _create(self, batch: Batch, job_id: str, specs: Sequence[Any]) -> None:
        """Create the member of this specification, or cancel it without a usable one."""
        terms = next((terms for spec in specs if (terms := _terms(batch, spec)) is not None), None)
        if terms is None:
            log.error("batch_spec_unusable", batch_id=batch.batch_id, job_id=job_id)
            await self._cancel(batch, job_id)
            return
        await self._create_from(batch, job_id, specs[0], terms)

    async def _create_from(self, batch: Batch, job_id: str, spec: Mapping[str, Any], terms: JobCreated) -> None:
        body = to_json({name: spec[name] for name in ("job_type", "parameters", "resolved") if name in spec})
        claim = await self._outlast(batch, partial(self._blobs.put, f"{job_id}/in", body))
        for use in uploads.uses_by(batch.owner, job_id, spec["parameters"]):
            await self._outlast(batch, partial(self._blobs.mark, use))
        about, removed = documents.subject_of(spec), False
        if about is not None:
            removed = await self._outlast(batch, partial(documents.note_job, self._blobs, about, job_id))
        await self._append(job_id, batch.owner, terms.model_copy(update={"parameters": claim}))
        if removed:
            await self._append(job_id, batch.owner, JobErased(by=batch.owner, reason="DOCUMENT_REMOVED"))

    async def _outlast(self, batch: Batch, write: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                return await write()
            except BlobUnreadableError:
                raise
            except BlobStoreError as error:
                await _wait_for_store(batch, error)

    async def _append(self, subject: str, owner: str, data: Event) -> None:
        await self._appender.append(JOB_EVENTS, worker_fact(subject, owner, data, subject, self._clock()))


def _members(batch: Batch) -> list[tuple[int, str]]:
    return [(index, member_id(batch.batch_id, index)) for index in range(batch.count)]


def _parsed(content: bytes) -> Sequence[Any]:
    """The specifications; none if they are not a list, which only a foreign writer writes."""
    try:
        found = from_json(content)
    except ValueError:
        return ()
    return found if isinstance(found, list) else ()


def _terms(batch: Batch, spec: Any) -> JobCreated | None:
    """The event of a member, still with the claim of the specifications; None if it cannot be created."""
    if not isinstance(spec, dict) or not isinstance(spec.get("parameters"), dict):
        return None
    about = documents.subject_of(spec)
    marks = uploads.uses_by(batch.owner, batch.batch_id, spec["parameters"])
    if (about is not None and "/" in about) or any(map(refusal_of, (*marks, about or "-"))):
        return None
    try:
        return job_created(spec, batch.specs, batch_id=batch.batch_id)
    except ValidationError:
        return None


async def _in_chunks(items: Sequence[T], act: Callable[[T], Awaitable[None]]) -> None:
    for start in range(0, len(items), CHUNK):
        await asyncio.gather(*(act(item) for item in items[start : start + CHUNK]))


async def _wait_for_store(batch: Batch, error: BlobStoreError) -> None:
    log.warning("batch_waits_for_blob_store", batch_id=batch.batch_id, error=str(error))
    await asyncio.sleep(STORE_PAUSE_S)
