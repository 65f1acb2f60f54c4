"""The expansion of one batch: a JobCreated for each member, then BatchExpanded. Keeps over its tries what is known.

An outage is waited for. What cannot be read or written although the store answers is given up after a bounded number
of tries: its members are cancelled with a reason, so that each ends and the batch does.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic_core import to_json

from piperoll.clock import Clock
from piperoll.domain.batch import Batch
from piperoll.log.contract import Appender, AppendError
from piperoll.store import document_paths as documents
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobStoreError, BlobUnreadableError
from piperoll.store.probe import StoreProbe
from schemas.errors import ErrorCode
from schemas.events import BatchExpanded, Event, JobCancelled, JobCreated, JobErased
from schemas.topics import JOB_EVENTS
from services.worker import metrics
from services.worker.manager.chunks import in_chunks
from services.worker.manager.facts import worker_fact
from services.worker.manager.member_specs import SpecUnusableError, members_of, parse_specs, terms_of_member
from services.worker.manager.written_members import MemberSearch, WrittenMembers

log = structlog.get_logger()

SPECS_LOST = "SPECIFICATIONS_LOST"
LOST_AFTER_S = 600.0  # longer than a store is restored or an erasure takes to reach the log
LOST_TRIES = 10  # at least: a process may be suspended between two of them
MEMBER_TRIES = 10  # with the pauses of background work some three minutes


@dataclass(frozen=True, slots=True)
class ExpansionContext:
    """What all expansions of a worker share. `room` bounds the batches in memory."""

    appender: Appender
    blobs: AsyncBlobs
    probe: StoreProbe
    search: MemberSearch
    clock: Clock
    room: asyncio.Semaphore


class Expansion:
    """One batch. `taken_over`: members of it may be in the log."""

    def __init__(self, context: ExpansionContext, batch: Batch, taken_over: bool) -> None:
        self._context = context
        self._batch = batch
        self._found = None if taken_over else WrittenMembers()  # None: the log has to be read
        self._done = bytearray(batch.count)  # 1 for each member that this process created or cancelled
        self._faults: Counter[int] = Counter()
        self._left: BlobStoreError | None = None
        self._misses = 0
        self._missed_since = 0.0

    async def attempt(self) -> None:
        """Expand what is left. Raises what has to be tried again; the log is read at most once."""
        found = await self._known()
        async with self._context.room:
            try:
                specs = parse_specs(await self._context.blobs.get_claimed(self._batch.specs))
            except (BlobMissingError, BlobStoreError) as error:
                missed: BlobMissingError | BlobStoreError | None = error
            else:
                missed, self._misses = None, 0
                await self._create_members(found, specs)
        if missed is not None:
            await self._without_specs(missed)
        elif self._left is not None:
            raise self._left
        else:
            await self._end()

    async def _known(self) -> WrittenMembers:
        if self._found is None:
            self._found = await self._context.search.written(self._batch)
        return self._found

    async def _end(self) -> None:
        await self._append(self._batch.batch_id, BatchExpanded(count=self._batch.count))
        log.info("batch_expanded", batch_id=self._batch.batch_id, count=self._batch.count, written=sum(self._done))

    def _missing(self, found: WrittenMembers) -> list[tuple[int, str]]:
        return [one for one in members_of(self._batch) if not self._done[one[0]] and one[1] not in found.members]

    # --- without specifications ------------------------------------------------------------------------------------

    async def _without_specs(self, error: BlobMissingError | BlobStoreError) -> None:
        """End the members of a batch whose specifications are lost. Raises `error` until that is certain.

        Another worker may have expanded it, or it is being erased: then there is nothing to do.
        """
        if await self._is_outage(error):
            self._misses = 0
            raise error
        found, self._found = await self._known(), None  # the next try has to read what was appended since
        if self._batch.batch_id in found.ended_batches:
            log.info("batch_ended_elsewhere", batch_id=self._batch.batch_id)
            return
        if not self._are_lost():
            raise error
        log.error("batch_specs_lost", batch_id=self._batch.batch_id, uri=self._batch.specs.uri, error=str(error))
        await in_chunks(self._missing(found), lambda member: self._cancel(*member, SPECS_LOST))
        await self._end()

    def _are_lost(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._misses += 1
        if self._misses == 1:
            self._missed_since = now
        return self._misses >= LOST_TRIES and now - self._missed_since >= LOST_AFTER_S

    async def _is_outage(self, error: Exception) -> bool:
        """Whether the store, and not one blob, is the cause."""
        of_one = isinstance(error, BlobMissingError | BlobUnreadableError)
        return not (of_one or await self._context.probe.answers())

    # --- members ---------------------------------------------------------------------------------------------------

    async def _create_members(self, found: WrittenMembers, specs: Sequence[Any]) -> None:
        """Create all missing members but those that the store cannot take (`_left`). Raises BlobStoreError if away."""
        self._left = None
        try:
            await in_chunks(self._missing(found), lambda member: self._settle(*member, specs))
        except AppendError:
            self._found = None  # what was refused may be in the log
            raise

    async def _settle(self, index: int, job_id: str, specs: Sequence[Any]) -> None:
        """Create a member, or cancel it if that cannot be done."""
        try:
            terms = terms_of_member(self._batch, index, specs)
            await self._create(job_id, specs[index], terms)
        except SpecUnusableError as error:
            await self._give_up(index, job_id, SPECS_LOST, error)
        except BlobStoreError as error:
            if await self._is_outage(error):
                raise
            await self._note_fault(index, job_id, error)
        else:
            self._done[index] = 1

    async def _note_fault(self, index: int, job_id: str, error: BlobStoreError) -> None:
        self._faults[index] += 1
        if self._faults[index] < MEMBER_TRIES:
            self._left = error
        else:
            await self._give_up(index, job_id, ErrorCode.STORAGE_ERROR, error)

    async def _give_up(self, index: int, job_id: str, reason: str, why: Exception) -> None:
        log.error("batch_member_given_up", job_id=job_id, reason=reason, why=str(why)[:500])
        await self._cancel(index, job_id, reason)

    async def _create(self, job_id: str, spec: Mapping[str, Any], terms: JobCreated) -> None:
        blobs, owner = self._context.blobs, self._batch.owner
        body = to_json({name: spec[name] for name in ("job_type", "parameters", "resolved") if name in spec})
        for use in uploads.uses_by(owner, job_id, spec["parameters"]):  # first: it keeps that of a member given up too
            await blobs.mark(use)
        claim = await blobs.put(f"{job_id}/in", body)
        about = documents.subject_of(spec)
        removed = about is not None and await documents.note_job(blobs, about, job_id)
        await self._append(job_id, terms.model_copy(update={"parameters": claim}))
        if removed:
            await self._append(job_id, JobErased(by=owner, reason="DOCUMENT_REMOVED"))

    async def _cancel(self, index: int, job_id: str, reason: str) -> None:
        await self._append(job_id, JobCancelled(by=self._batch.owner, reason=reason))
        metrics.MEMBERS_CANCELLED.labels(reason).inc()
        self._done[index] = 1

    async def _append(self, subject: str, data: Event) -> None:
        fact = worker_fact(subject, self._batch.owner, data, subject, self._context.clock())
        await self._context.appender.append(JOB_EVENTS, fact)
