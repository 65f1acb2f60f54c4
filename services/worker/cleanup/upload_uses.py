"""Which jobs and batches use an upload. A marker is written before their creation, so it alone proves nothing.

The request may have failed between the two, and then nothing would ever remove the marker. So the log decides: a marker
counts while the log has its job, and that was not erased, or its batch, and that is not expanded. A creation that is on
its way has `uploads.ARRIVAL_S` to arrive, from the time of the marker, by the clock of the store.

Of jobs and batches that give up an upload at one time, each deletes its marker and then looks which are left. So at
least one of them sees that the others have given it up too, and deletes the upload.
"""

from collections.abc import Callable, Collection, Mapping, Sequence, Set
from typing import Any

import structlog
from pydantic_core import from_json

from piperoll.log.contract import LogView
from piperoll.store import uploads
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from services.worker.cleanup.use_search import Use, UseSearch

log = structlog.get_logger()


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
            users = heirs & others or {one for one in others | heirs if not uploads.is_batch(one) and self._knows(one)}
            if not users and (others or heirs):
                users, wait_s = await self._judge(mine, heirs)
                if wait_s > 0:
                    return wait_s
            await self._blobs.delete([mine])  # as late, since it shows until then that the erasure waits
            if not users:
                await self._blobs.delete_folder(uses)
                await self._blobs.delete_folder(uploads.folder_of(owner, file_id))
                return 0.0
            if (users & heirs) - others or users & await self._others(mine):
                return 0.0
            await self._blobs.mark(mine)  # they gave the upload up meanwhile, and may have left it to this one

    async def _others(self, mine: str) -> set[str]:
        folder = mine.rpartition("/")[0]
        return {mark.rpartition("/")[2] for mark in await self._blobs.names(folder) if mark != mine}

    async def _judge(self, mine: str, heirs: Set[str]) -> tuple[set[str], float]:
        """Return the users that the log has, of all with a marker and of `heirs`. Without any: the seconds until those
        that it lacks have failed.

        The times are read before the log: a marker that was old enough then is of a creation that cannot arrive.
        """
        await self._blobs.mark(mine)  # its time is now the present one of the store
        listed = await self._blobs.entries(mine.rpartition("/")[0])
        times = {one.uri.rpartition("/")[2]: one.written_at for one in listed}
        now = times.pop(mine.rpartition("/")[2], None)
        judged = await self._search.judge(times.keys() | heirs)
        users = {one for one, use in judged.items() if use is Use.IN_USE}
        unknown = sorted(one for one, use in judged.items() if use is Use.UNKNOWN and one in times)
        if users or not unknown:
            return users, 0.0
        youngest_s = (now - max(times[one] for one in unknown)).total_seconds() if now else 0.0
        if youngest_s < uploads.ARRIVAL_S:
            return set(), min(uploads.ARRIVAL_S - youngest_s, uploads.ARRIVAL_S)
        log.info("upload_of_failed_requests_deleted", folder=mine.rpartition("/")[0], jobs=unknown)
        return set(), 0.0


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
