"""Deletes all that an erased job read and made, and the outputs of runs and batches that do not count.

The log reader calls it. An erasure is repeated when further facts of its job are read, when a partition is reassigned,
and by the sweep, so that late writes of a process are deleted too.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import structlog
from pydantic_core import from_json

from piperoll.store import document_paths as documents
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobStoreError
from services.worker import metrics
from services.worker.run.cache import entry_of, markers, parse_entry

log = structlog.get_logger()

WIDTH = 4  # concurrent deletions: thousands take seconds, and jobs still get the disk
STORE_PAUSE_S = 2.0  # between two tries while the blob store does not answer
SPECS_GRACE_S = 10.0  # a projector that is behind still announces the members of a batch from them
DETAILS = re.compile(r"[0-9a-f]{64}")
"""The names of the details of failed attempts, which are kept: the job's history refers to them."""

Chore = Callable[[], Awaitable[None]]


class Eraser:
    """Works through deletions, a few at a time. `await_exit` returns when no child of this worker runs the job."""

    def __init__(self, blobs: AsyncBlobs, await_exit: Callable[[str], Awaitable[None]]) -> None:
        self._blobs = blobs
        self._await_exit = await_exit
        self._chores: asyncio.Queue[Chore] = asyncio.Queue()
        self._due: set[str] = set()
        self._inputs: dict[str, str] = {}

    def erase(self, subject: str, owner: str, parameters: str | None = None) -> None:
        """Delete all of an erased job or batch, when no child here runs it. `parameters` is a uri in a segment."""
        if parameters is not None:
            self._inputs[subject] = parameters
        if subject not in self._due:
            self._due.add(subject)
            self._chores.put_nowait(partial(self._erase, subject, owner))

    def tidy(self, job_id: str, lost: frozenset[str]) -> None:
        """Delete the outputs of an ended job's runs that lost (services.worker.cleanup.lost_runs)."""
        self._chores.put_nowait(partial(self._tidy, job_id, lost))

    def drop_specs(self, batch_id: str) -> None:
        """Delete the member specs of an expanded batch: each member now has its own parameters, and may be erased."""
        put = partial(self._chores.put_nowait, partial(self._drop_specs, batch_id))
        asyncio.get_running_loop().call_later(SPECS_GRACE_S, put)

    async def run(self, stopping: asyncio.Event) -> None:
        """Delete until `stopping` is set. The rest is left to the next owner of the partitions."""
        async with asyncio.TaskGroup() as tasks:
            workers = [tasks.create_task(self._work()) for _ in range(WIDTH)]
            await stopping.wait()
            for worker in workers:
                worker.cancel()

    async def _work(self) -> None:
        while True:
            chore = await self._chores.get()
            while True:
                try:
                    await chore()
                    break
                except BlobStoreError as error:
                    log.warning("deletion_waits_for_blob_store", error=str(error))
                    await asyncio.sleep(STORE_PAUSE_S)

    async def _erase(self, subject: str, owner: str) -> None:
        await self._await_exit(subject)
        self._due.discard(subject)  # facts read from now on require another deletion
        parameters = self._inputs.get(subject)
        given = [*await self._blobs.names(f"{subject}/in"), *([parameters] if parameters else [])]
        for uri in given:
            for file_id in await self._uploads_in(uri):
                await self._give_up_upload(subject, owner, file_id)
        for marker in await self._blobs.names(markers(subject)):
            await self._take_from_cache(subject, entry_of(subject, marker))
        count = await documents.delete_outputs(self._blobs, subject)
        if parameters is not None:
            await self._blobs.delete([parameters])
            if self._inputs.get(subject) == parameters:
                del self._inputs[subject]
        if count:
            metrics.ERASED_BLOBS.inc(count)
            log.info("content_erased", job_id=subject, blobs=count)

    async def _give_up_upload(self, job_id: str, owner: str, file_id: str) -> None:
        """Delete an upload of a job, unless another job that is not erased uses it too."""
        uses = uploads.uses_of(owner, file_id)
        await self._blobs.delete([f"{uses}/{job_id}"])
        if not await self._blobs.names(uses):
            await self._blobs.delete_folder(uses)
            await self._blobs.delete_folder(uploads.folder_of(owner, file_id))

    async def _uploads_in(self, given: str) -> tuple[str, ...]:
        try:
            body = from_json(await self._blobs.get(given))
            return uploads.file_ids_of(body["parameters"])
        except (BlobMissingError, ValueError, TypeError, KeyError, AttributeError):
            return ()  # deleted meanwhile, or the name of a batch and not a job's parameters

    async def _take_from_cache(self, job_id: str, uri: str) -> None:
        """Remove a cache entry that the job made, unless a later job has replaced it."""
        try:
            kept = parse_entry(await self._blobs.get(uri))
        except BlobMissingError:
            return
        if kept is None or kept.job_id == job_id:
            await self._blobs.delete([uri])

    async def _tidy(self, job_id: str, lost: frozenset[str]) -> None:
        for run in sorted(lost):
            outputs = outputs_of(await self._blobs.names(f"{job_id}/{run}"))
            await self._blobs.delete([*documents.index_marks(outputs), *outputs])
            if outputs:
                log.info("losing_run_deleted", job_id=job_id, run=run, blobs=len(outputs))

    async def _drop_specs(self, batch_id: str) -> None:
        await self._blobs.delete_folder(f"{batch_id}/specs")


def outputs_of(names: Iterable[str]) -> list[str]:
    """The blobs of a run without the details of its failure, which are kept."""
    return [uri for uri in names if not DETAILS.fullmatch(uri.split("/", 2)[2])]
