"""Deletes all that an erased job read and made, and the outputs of runs and batches that do not count.

The log reader calls it. An erasure is repeated when further facts of its job are read, when a partition is reassigned,
and by the sweep, so that late writes of a process are deleted too. The backlog, and so its checkpoint, keeps an erasure
until it was carried out.
"""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import suppress
from datetime import datetime
from functools import partial

import structlog

from piperoll.domain.backlog import Backlog, Erasure
from piperoll.store import document_paths as documents
from piperoll.store import targets, uploads
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobUnreadableError
from schemas.ids import member_id
from services.worker import metrics
from services.worker.cleanup.chores import Chores
from services.worker.cleanup.upload_uses import UploadUses, given_in, named_in
from services.worker.run.cache import entry_of, markers, parse_entry

log = structlog.get_logger()

EXIT_S = 1.0  # for a child that was killed; a chore that waits longer is postponed
SPECS_GRACE_S = 10.0  # a projector that is behind still announces the members of a batch from them
DETAILS = re.compile(r"[0-9a-f]{64}")
"""The names of the details of failed attempts, which are kept: the job's history refers to them."""


class ChildRunsError(RuntimeError):
    """A child may still write outputs of the job."""


class Eraser:
    """Deletes as chores. `await_exit` returns when no child of this worker runs the job."""

    def __init__(
        self,
        blobs: AsyncBlobs,
        await_exit: Callable[[str], Awaitable[None]],
        uses: UploadUses,
        chances: random.Random | None = None,
    ) -> None:
        self._blobs = blobs
        self._await_exit = await_exit
        self._uses = uses
        self._chores = Chores(chances or random.Random())
        self._pending: dict[str, datetime] = {}
        self._found: dict[str, set[str]] = {}

    def problem(self) -> str | None:
        """See Chores.problem."""
        return self._chores.problem()

    async def run(self, stopping: asyncio.Event) -> None:
        """Delete until `stopping` is set. The next owner of the partitions has the rest in its checkpoints."""
        await self._chores.run(stopping)

    def erase(self, subject: str, backlog: Backlog, inputs: Collection[str] = ()) -> None:
        """Delete all of a job or batch that is erased in `backlog`, when no child here runs it.

        `inputs` are parameters that the sweep found outside its folder; the erasure itself may not name them.
        """
        if inputs:
            self._found.setdefault(subject, set()).update(inputs)
        if not backlog.erased[subject].done:
            self._pending[subject] = backlog.erased[subject].at
        self._chores.add(f"the erasure of {subject}", partial(self._carry_out, subject, backlog))

    def measure(self, now: datetime) -> None:
        """Set the gauges of the erasures that are not carried out."""
        age = (now - min(self._pending.values())).total_seconds() if self._pending else 0.0
        metrics.PENDING_ERASURES.set(len(self._pending))
        metrics.OLDEST_PENDING_ERASURE.set(max(age, 0.0))

    def tidy(self, job_id: str, lost: frozenset[str], on_done: Callable[[], None]) -> None:
        """Delete the outputs of an ended job's runs that lost (services.worker.cleanup.lost_runs)."""
        self._chores.add(f"the lost runs of {job_id}", partial(self._tidy, job_id, lost, on_done))

    def drop_specs(self, batch_id: str, owner: str) -> None:
        """Delete the specs and markers of an expanded batch: each member has its own now, and may be erased."""
        self._chores.add(f"the specs of {batch_id}", partial(self._drop_specs, batch_id, owner), SPECS_GRACE_S)

    async def _carry_out(self, subject: str, backlog: Backlog) -> None:
        erasure = backlog.erased.get(subject)
        if erasure is None:
            self._found.pop(subject, None)
            return  # it was done before, and forgotten since
        await self._wait_for_child(subject)
        if wait_s := await self._erase(subject, erasure):
            self._chores.add(f"the erasure of {subject}", partial(self._carry_out, subject, backlog), wait_s)
        elif backlog.carried_out(subject, erasure):
            self._pending.pop(subject, None)

    async def _wait_for_child(self, subject: str) -> None:
        try:
            async with asyncio.timeout(EXIT_S):
                await self._await_exit(subject)
        except TimeoutError as error:
            raise ChildRunsError(f"the killed child of {subject} has not ended yet") from error

    async def _erase(self, subject: str, erasure: Erasure) -> float:
        """Return 0 if all is deleted. Else it is undecided who uses the uploads: the parameters and specs that name
        them are kept, and the result is the seconds after which to try again."""
        names = await self._blobs.names(subject)
        for marker in _under(markers(subject), names):
            await self._take_from_cache(subject, entry_of(subject, marker))
        inputs = [*_under(f"{subject}/in", names), *_under(f"{subject}/specs", names)]
        outputs = [uri for uri in names if uri not in inputs]
        await self._blobs.delete([*documents.index_marks(outputs), *outputs])
        elsewhere = {*self._found.get(subject, ()), *([erasure.parameters] if erasure.parameters else [])}
        if wait_s := await self._give_up_uses(subject, erasure, {*inputs, *elsewhere}):
            return wait_s
        count = len(outputs) + await documents.delete_outputs(self._blobs, subject)
        await self._blobs.delete(elsewhere)
        if (found := self._found.get(subject)) is not None and found <= elsewhere:
            del self._found[subject]
        if count:
            metrics.ERASED_BLOBS.inc(count)
            log.info("content_erased", job_id=subject, blobs=count)
        return 0.0

    async def _give_up_uses(self, subject: str, erasure: Erasure, inputs: Iterable[str]) -> float:
        """Delete the uploads that only this job or batch uses, and its markers; see UploadUses.give_up."""
        wait_s = 0.0
        for uri in inputs:
            given = await given_in(self._blobs, uri)
            for file_id in uploads.file_ids_of(*(one["parameters"] for one in given)):
                wait_s = max(wait_s, await self._uses.give_up(subject, erasure.owner, file_id))
            about = {one for one in map(documents.subject_of, given) if one is not None}
            aimed = {one for one in map(targets.target_of, given) if one is not None}
            marks = [documents.job_mark(one, subject) for one in about]
            await self._blobs.delete([*marks, *(targets.mark_of(erasure.owner, one, subject) for one in aimed)])
        return wait_s

    async def _take_from_cache(self, job_id: str, uri: str) -> None:
        """Remove a cache entry that the job made, unless a later job has replaced it."""
        try:
            kept = parse_entry(await self._blobs.get(uri))
        except BlobMissingError:
            return
        if kept is None or kept.job_id == job_id:
            await self._blobs.delete([uri])

    async def _tidy(self, job_id: str, lost: frozenset[str], on_done: Callable[[], None]) -> None:
        for run in sorted(lost):
            outputs = outputs_of(await self._blobs.names(f"{job_id}/{run}"))
            await self._blobs.delete([*documents.index_marks(outputs), *outputs])
            if outputs:
                log.info("losing_run_deleted", job_id=job_id, run=run, blobs=len(outputs))
        on_done()

    async def _drop_specs(self, batch_id: str, owner: str) -> None:
        for uri in await self._blobs.names(f"{batch_id}/specs"):
            wait_s = 0.0
            with suppress(BlobUnreadableError):  # then no member was created by them
                for file_id, places in (await named_in(self._blobs, uri)).items():
                    heirs = {member_id(batch_id, index) for index in places}
                    wait_s = max(wait_s, await self._uses.give_up(batch_id, owner, file_id, heirs))
            if wait_s:
                self._chores.add(f"the specs of {batch_id}", partial(self._drop_specs, batch_id, owner), wait_s)
            else:
                await self._blobs.delete([uri])


def _under(folder: str, names: Iterable[str]) -> list[str]:
    return [uri for uri in names if uri.startswith(f"{folder}/")]


def outputs_of(names: Iterable[str]) -> list[str]:
    """The blobs of a run without the details of its failure, which are kept."""
    return [uri for uri in names if not DETAILS.fullmatch(uri.split("/", 2)[2])]
