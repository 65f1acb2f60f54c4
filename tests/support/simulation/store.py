"""A blob store in memory that can be away, and be restored to an older state."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, cast

import obstore

from piperoll.clock import Clock
from piperoll.store.blobs import AsyncBlobs, BlobStoreError
from schemas.claims import Claim
from tests.support.files.timed_blobs import TimedBlobs

P = ParamSpec("P")
T = TypeVar("T")


class UnreliableBlobs(TimedBlobs):
    """The real client (piperoll.store.blobs) over obstore's store in memory. While `away`, its calls fail.

    Blobs of the folders `broken` can never be read or written, as on bad sectors of a disk. Blobs of more than
    `room` bytes are not taken, as by a disk that is nearly full.
    """

    def __init__(self, clock: Clock) -> None:
        self.away = False
        self.broken: set[str] = set()
        self.room: int | None = None
        super().__init__(clock)

    @property
    def _store(self) -> Any:
        if self.away:
            raise OSError("the store is away")
        return self._there

    @_store.setter
    def _store(self, store: Any) -> None:
        self._there = store

    def get(self, uri: str) -> bytes:
        """See Blobs.get."""
        self._require_sound(uri)
        return super().get(uri)

    def put_named(self, uri: str, content: bytes, media_type: str, digest: str | None = None) -> Claim:
        """See Blobs.put_named."""
        self._require_sound(uri)
        self._require_room(content)
        return super().put_named(uri, content, media_type, digest)

    def replace(self, uri: str, content: bytes) -> None:
        """See Blobs.replace."""
        self._require_room(content)
        super().replace(uri, content)

    def _require_room(self, content: bytes) -> None:
        if self.room is not None and len(content) > self.room:
            raise BlobStoreError("no space left on device")

    def _require_sound(self, uri: str) -> None:
        if uri.partition("/")[0] in self.broken:
            raise BlobStoreError(f"input/output error at {uri}")

    def keep(self, folder: str, content: bytes) -> Claim:
        """A client's blob, which is stored even while the services cannot reach the store."""
        away, self.away = self.away, False
        claim = self.put(folder, content)
        self.away = away
        return claim

    def snapshot(self, folder: str) -> dict[str, bytes]:
        """The content of a folder, by uri."""
        names = [entry["path"] for page in obstore.list(self._there, folder) for entry in page]
        return {name: bytes(obstore.get(self._there, name).bytes()) for name in names}

    def restore(self, folder: str, content: Mapping[str, bytes]) -> None:
        """Make a folder what it was."""
        for name in self.snapshot(folder):
            obstore.delete(self._there, name)
        for name, body in content.items():
            obstore.put(self._there, name, body)


class SimulatedStore(AsyncBlobs):
    """The blobs of a simulated world.

    While `away`, every call fails, as on a full or unmounted disk; while `hanging`, none returns, as over a network
    that drops packets, or none about the blob `hanging_at`.
    """

    unreadable_of = ""
    hanging = False
    hanging_at = ""

    @property
    def away(self) -> bool:
        """Whether every call fails."""
        return cast(UnreliableBlobs, self.sync).away

    @away.setter
    def away(self, away: bool) -> None:
        cast(UnreliableBlobs, self.sync).away = away

    def require(self, job_id: str = "") -> None:
        """Raise BlobStoreError while the store is away, and for the job `unreadable_of` always."""
        if self.away or (job_id and job_id == self.unreadable_of):
            raise BlobStoreError("the store is away")

    async def _run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        while self.hanging or (self.hanging_at and args and args[0] == self.hanging_at):  # noqa: ASYNC110 - virtual time, and no one event
            await asyncio.sleep(1.0)
        return await super()._run(call, *args, **kwargs)
