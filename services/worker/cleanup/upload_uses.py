"""Which jobs and batches use an upload. A marker is written before their creation, so it alone proves nothing.

The request may have failed between the two, and then nothing would ever remove the marker. So the log decides: a marker
counts while the log has its job, and that was not erased, or its batch, and that is not expanded. A creation that is on
its way has `uploads.ARRIVAL_S` to arrive, from the time of the marker, by the clock of the store.

Of jobs and batches that give up an upload at one time, each deletes its marker and then looks which are left. So at
least one of them sees that the others have given it up too, and deletes the upload. The search may take minutes, so the
markers are listed again after it: one that was written meanwhile is judged too.
"""

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog
from pydantic_core import from_json

from piperoll.log.contract import LogView
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from services.worker.cleanup.use_search import Use, UseSearch

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class UseVerdict:
    """The `users` of an upload that were found. Without any: the jobs and batches that are `over`, and those that the
    log lacks, which have `failed` with a marker of this time, after `wait_s`.
    """

    users: Set[str] = frozenset()
    over: Set[str] = frozenset()
    failed: Mapping[str, datetime] = field(default_factory=dict)
    wait_s: float = 0.0

    def covers(self, markers: Mapping[str, datetime]) -> bool:
        """Whether it is about all of these markers: none was written meanwhile, by a new request or a repeated one."""
        return all(one in self.over or self.failed.get(one) == at for one, at in markers.items())


class UploadUses:
    """Decides about uploads of erased jobs. `knows` is whether a partition of this worker has a job, without a scan."""

    def __init__(self, blobs: AsyncBlobs, history: LogView, partitions: int, knows: Callable[[str], bool]) -> None:
        self._blobs = blobs
        self._search = UseSearch(history, partitions)
        self._knows = knows

    async def give_up(self, subject: str, owner: str, file_id: str, heirs: Set[str] = frozenset()) -> float:
        """Delete an upload of an erased job, or of an expanded or erased batch, unless others use it.

        Return 0 if that is decided, else the seconds after which it can be. `heirs` are the members of an expanded
        batch that were given the upload: their markers decide for themselves when these are erased. One that was
        cancelled may have none, and keeps the upload until it is too old. Raises BlobStoreError, and what the log
        raises.
        """
        uses = uploads.uses_of(owner, file_id)
        mine = f"{uses}/{subject}"
        while True:
            others = await self._others(mine)
            known = {one for one in others.keys() | heirs if not uploads.is_batch(one) and self._knows(one)}
            verdict = UseVerdict(users=heirs & others.keys() or known)
            if not verdict.users and (others or heirs):
                verdict = await self._judge(mine, heirs)
                if verdict.wait_s > 0:
                    return verdict.wait_s
            await self._blobs.delete([mine])  # as late, since it shows until then that the erasure waits
            left = await self._others(mine)
            if not verdict.users and verdict.covers(left):
                await self._blobs.delete(f"{uses}/{one}" for one in left)  # not one that is being written
                await self._blobs.remove_empty(uses)
                await self._blobs.delete_folder(uploads.folder_of(owner, file_id))
                return 0.0
            if (verdict.users & heirs) - others.keys() or verdict.users & left.keys():
                return 0.0
            await self._blobs.mark(mine)  # users gave the upload up and may have left it to this one, or others came

    async def _others(self, mine: str) -> dict[str, datetime]:
        """Return the other jobs and batches that have a marker, with its time."""
        folder, _, subject = mine.rpartition("/")
        times = await self._times(folder)
        times.pop(subject, None)
        return times

    async def _times(self, folder: str) -> dict[str, datetime]:
        return {one.uri.rpartition("/")[2]: one.written_at for one in await self._blobs.entries(folder)}

    async def _judge(self, mine: str, heirs: Set[str]) -> UseVerdict:
        """Return the verdict of the log on all with a marker, and on `heirs`.

        The times are read before the log: a marker that was old enough then is of a creation that cannot arrive.
        """
        await self._blobs.mark(mine)  # its time is now the present one of the store
        folder, _, subject = mine.rpartition("/")
        times = await self._times(folder)
        now = times.pop(subject, None)
        judged = await self._search.judge(times.keys() | heirs)
        users = {one for one, use in judged.items() if use is Use.IN_USE}
        unknown = sorted(one for one, use in judged.items() if use is Use.UNKNOWN and one in times)
        if users:
            return UseVerdict(users)
        verdict = UseVerdict(over=judged.keys() - unknown, failed={one: times[one] for one in unknown})
        if not unknown:
            return verdict
        youngest_s = (now - max(times[one] for one in unknown)).total_seconds() if now else 0.0
        if youngest_s < uploads.ARRIVAL_S:
            return replace(verdict, wait_s=min(uploads.ARRIVAL_S - youngest_s, uploads.ARRIVAL_S))
        log.info("upload_of_failed_requests_deleted", folder=folder, jobs=unknown)
        return verdict


async def given_in(blobs: AsyncBlobs, uri: str) -> Sequence[dict[str, Any]]:
    """Return what a job was given, or the members of a batch, by stored parameters or specifications.

    Nothing if they were deleted meanwhile, or are the name of a batch. Raises BlobStoreError.
    """
    return [one for one in await _parsed(blobs, uri) if _has_parameters(one)]


async def named_in(blobs: AsyncBlobs, specs: str) -> Mapping[str, Collection[int]]:
    """Return the ids of the uploads that the members of a batch name, with the places of these members.

    Raises BlobStoreError.
    """
    named: dict[str, list[int]] = {}
    for index, one in enumerate(await _parsed(blobs, specs, uploads.SCHEME.encode())):
        if _has_parameters(one):
            for file_id in uploads.file_ids_of(one["parameters"]):
                named.setdefault(file_id, []).append(index)
    return named


async def _parsed(blobs: AsyncBlobs, uri: str, only_with: bytes = b"") -> Sequence[Any]:
    try:
        content = await blobs.get(uri)
        body = from_json(content) if only_with in content else []
    except (BlobMissingError, ValueError):
        return []
    return body if isinstance(body, list) else [body]


def _has_parameters(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("parameters"), dict)
