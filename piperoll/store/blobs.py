"""The claim check over obstore: content is in the blob store; the log and the read model contain its Claim.

Paths: inputs at `{job_id}/in/{sha256}`, outputs at `{job_id}/{run}/…`, uploads at `uploads/{owner}/{file_id}/…`.
These are create-only: their names contain a hash, a random run or a random id, so an existing blob has the same
content. Checkpoints and cache entries are replaced. Small inputs share files in a local store (`segments`).
With `guard.on`, a store without its installation's marker fails, where it would find nothing (`marker`).
`Blobs` is synchronous, for child processes; services use `AsyncBlobs`, which runs the same calls on threads.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import BinaryIO, ParamSpec, TypeVar

import structlog

from piperoll.store import segments
from piperoll.store.errors import BlobMissingError, BlobStoreError, BlobUnreadableError, ClaimMismatchError
from piperoll.store.marker import MARKER
from piperoll.store.sync_blobs import CHECK_BYTES, CHUNK_BYTES, BlobEntry, Blobs
from piperoll.store.threads import DaemonThreads
from schemas.claims import Claim

log = structlog.get_logger()

__all__ = [
    "CHECK_BYTES",
    "CHUNK_BYTES",
    "AsyncBlobs",
    "BlobEntry",
    "BlobMissingError",
    "BlobStoreError",
    "BlobUnreadableError",
    "Blobs",
    "ClaimMismatchError",
]

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 16  # more than the cores, since a put waits for the disk or the network
CLOSE_S = 2.0  # for running calls; less than what a service has for closing (piperoll.runtime)


class AsyncBlobs:
    """The calls of Blobs that services use, each on a thread, so that the event loop does not wait for a disk."""

    def __init__(self, blobs: Blobs) -> None:
        self.sync = blobs
        self.root = blobs.root
        self._threads = DaemonThreads(THREADS, "blobs")
        self._small = None if blobs.root is None else segments.GroupCommit(blobs.root, blobs.guard.before)

    async def put(self, folder: str, content: bytes, media_type: str = "application/json") -> Claim:
        """See Blobs.put."""
        return await self._run(self.sync.put, folder, content, media_type)

    async def put_input(self, subject: str, content: bytes, repeatable: bool) -> Claim:
        """Store the JSON input of a job or batch, which has no line ends; return its Claim.

        A local store keeps small inputs in segments, unless the same input may be stored again (`repeatable`). All
        others are stored under `{subject}/in/`, where a repeat is the same blob.
        """
        if repeatable or self._small is None or len(content) > segments.MAX_CONTENT_BYTES:
            return await self.put(f"{subject}/in", content)
        try:
            written = await self._small.append(subject, content)
        except OSError as error:
            raise BlobStoreError(f"the blob store failed to write a segment: {error}") from error
        return Claim(uri=written.uri, sha256=hashlib.sha256(content).hexdigest(), size=len(content))

    async def put_marker(self, content: bytes) -> None:
        """Write the marker of the installation, unless there is one."""
        await self._run(self.sync.put_named, MARKER, content, "application/json")

    async def mark(self, uri: str) -> None:
        """Write an empty marker blob unless it exists."""
        await self._run(self.sync.put_named, uri, b"", "application/octet-stream")

    async def replace(self, uri: str, content: bytes) -> None:
        """See Blobs.replace."""
        await self._run(self.sync.replace, uri, content)

    async def put_file(self, uri: str, source: BinaryIO, media_type: str | None = None) -> Claim:
        """See Blobs.put_file."""
        return await self._run(self.sync.put_file, uri, source, media_type)

    async def get(self, uri: str) -> bytes:
        """See Blobs.get."""
        return await self._run(self.sync.get, uri)

    async def get_claimed(self, claim: Claim) -> bytes:
        """See Blobs.get_claimed."""
        return await self._run(self.sync.get_claimed, claim)

    async def beginning(self, claim: Claim, size: int) -> bytes:
        """Return at most the first `size` bytes of a claimed blob. Raises BlobMissingError."""
        if claim.size <= size:
            return await self.get(claim.uri)
        return await self._run(self.sync.read, claim.uri, 0, size)

    async def size(self, uri: str) -> int:
        """See Blobs.size."""
        return await self._run(self.sync.size, uri)

    async def chunks(self, uri: str, begin: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `begin` to `end` in chunks; nothing stays open between chunks."""
        for start in range(begin, end, CHUNK_BYTES):
            yield await self._run(self.sync.read, uri, start, min(start + CHUNK_BYTES, end))

    async def names(self, folder: str) -> Sequence[str]:
        """See Blobs.list."""
        return await self._run(lambda: tuple(self.sync.list(folder)))

    async def entries(self, folder: str) -> Sequence[BlobEntry]:
        """See Blobs.entries."""
        return await self._run(self.sync.entries, folder)

    async def bytes_in(self, folder: str) -> int:
        """See Blobs.bytes_in."""
        return await self._run(self.sync.bytes_in, folder)

    async def pages(self, folder: str = "") -> AsyncIterator[Sequence[BlobEntry]]:
        """See Blobs.pages."""
        pages = self.sync.pages(folder)
        while (page := await self._run(lambda: next(pages, None))) is not None:
            yield page

    async def lines(self, segment: str) -> Sequence[segments.SegmentLine]:
        """See Blobs.lines."""
        return await self._run(self.sync.lines, segment)

    async def delete(self, uris: Iterable[str]) -> None:
        """See Blobs.delete."""
        await self._run(self.sync.delete, uris)

    async def delete_folder(self, folder: str) -> int:
        """See Blobs.delete_folder."""
        return await self._run(self.sync.delete_folder, folder)

    async def remove_abandoned(self, age_s: float) -> int:
        """See Blobs.remove_abandoned."""
        return await self._run(self.sync.remove_abandoned, age_s)

    async def remove_empty(self, folder: str) -> None:
        """See Blobs.remove_empty."""
        await self._run(self.sync.remove_empty, folder)

    async def check(self, name: str, size: int = CHECK_BYTES) -> None:
        """See Blobs.check."""
        await self._run(self.sync.check, name, size)

    def close(self) -> None:
        """Wait for running calls, at most CLOSE_S, and stop the threads. A call that hangs is left behind."""
        began = time.monotonic()
        ended = self._threads.close(CLOSE_S)
        if self._small is not None:
            ended &= self._small.close(max(0.0, began + CLOSE_S - time.monotonic()))
        if not ended:
            log.warning("blob_calls_left_behind", after_s=CLOSE_S)

    async def _run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: call(*args, **kwargs))
