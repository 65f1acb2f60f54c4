"""The claim check over obstore: content goes to the blob store, the log and the read model carry its Claim.

Paths: inputs at `{job_id}/in/{sha256}`, outputs at `{job_id}/{run}/…`, uploads at `uploads/{owner}/{file_id}/…`.
These are create-only: the name contains the hash, a drawn run or a drawn id, so what is there already is the same.
Checkpoints and the entries of the cache are replaced. Small inputs share files in a local folder (`segments`).
`Blobs` is synchronous, for child processes; services use `AsyncBlobs`, the same calls on threads of their own.
"""

import asyncio
import hashlib
import mimetypes
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, from_url

from piperoll.store import segments
from schemas.claims import Claim

P = ParamSpec("P")
T = TypeVar("T")

CHUNK_BYTES = 1024 * 1024
PAGE_ENTRIES = 1000  # the most that S3 lists at once
THREADS = 16  # a put waits for the disk or the network; more than the cores, fewer than a store minds


class BlobMissingError(LookupError):
    """There is no such blob: it was erased, or never written."""


class BlobStoreError(RuntimeError):
    """The blob store did not do what was asked; another attempt may help."""


class ClaimMismatchError(BlobStoreError):
    """The blob has another content than its claim names."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A blob in a listing. A copy in a local folder keeps the time of its original."""

    uri: str
    written_at: datetime


class Blobs:
    """A blob store by URL. Raises BlobStoreError from every call that the store fails."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self.root: Path | None = None
        if parts.scheme == "file":
            self.root = Path(unquote(parts.path))
            self._store = LocalStore(self.root, mkdir=True)
        else:
            self._store = from_url(url)  # type: ignore[assignment]

    def put(self, folder: str, content: bytes, media_type: str = "application/json") -> Claim:
        """Writes content under `folder/{sha256}` and answers its Claim."""
        digest = hashlib.sha256(content).hexdigest()
        return self.put_named(f"{folder}/{digest}", content, media_type, digest)

    def put_named(self, uri: str, content: bytes, media_type: str, digest: str | None = None) -> Claim:
        """Writes content under a name of the caller's. A blob that is there already stays as it is."""
        # What exists is the same content, or the same run's: an earlier try of this very write.
        with _store_errors(uri, writing=True):
            with suppress(AlreadyExistsError):
                obstore.put(self._store, uri, content, mode="create", use_multipart=False)
            self._flush(uri)
        digest = digest or hashlib.sha256(content).hexdigest()
        return Claim(uri=uri, sha256=digest, size=len(content), media_type=media_type)

    def replace(self, uri: str, content: bytes) -> None:
        """Writes content over what was there, whole or not at all. Content of jobs is never replaced."""
        with _store_errors(uri, writing=True):
            obstore.put(self._store, uri, content, mode="overwrite", use_multipart=False)
            self._flush(uri)

    def put_file(self, uri: str, source: BinaryIO, media_type: str | None = None) -> Claim:
        """Streams an open file to `uri`, a chunk at a time."""
        digest = hashlib.sha256()
        size = 0

        def chunks() -> Iterator[bytes]:
            nonlocal size
            while chunk := source.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                yield chunk

        with _store_errors(uri, writing=True):
            obstore.put(self._store, uri, chunks(), chunk_size=5 * CHUNK_BYTES, max_concurrency=2)
            self._flush(uri)
        kind = media_type or mimetypes.guess_type(uri)[0] or "application/octet-stream"
        return Claim(uri=uri, sha256=digest.hexdigest(), size=size, media_type=kind)

    def get(self, uri: str) -> bytes:
        """The whole blob, or document of a segment. Raises BlobMissingError."""
        with _store_errors(uri):
            if self.root is not None and (place := segments.place_of(uri)) is not None:
                return segments.read(self.root, place)
            return bytes(obstore.get(self._store, uri).bytes())

    def get_claimed(self, claim: Claim) -> bytes:
        """The content that a claim names, its hash checked. Raises BlobMissingError and ClaimMismatchError."""
        content = self.get(claim.uri)
        if hashlib.sha256(content).hexdigest() != claim.sha256:
            raise ClaimMismatchError(f"the blob at {claim.uri} is not the one that the log names")
        return content

    def copy(self, names: Iterable[tuple[str, str]]) -> None:
        """Copies blobs (from, to) within the store; a local folder shares their bytes. Raises BlobMissingError."""
        folders = set()
        for source, target in names:
            with _store_errors(source), suppress(AlreadyExistsError):
                obstore.copy(self._store, source, target, overwrite=False)
            folders.add(target.rpartition("/")[0])
        for folder in folders:
            self._flush(folder)  # the bytes reached the disk when they were first written

    def size(self, uri: str) -> int:
        """How many bytes the blob has. Raises BlobMissingError."""
        with _store_errors(uri):
            return int(obstore.head(self._store, uri)["size"])

    def read(self, uri: str, begin: int, end: int) -> bytes:
        """The bytes from `begin` up to but not including `end`, which must lie within the blob. Raises as `get`."""
        with _store_errors(uri):
            return bytes(obstore.get_range(self._store, uri, start=begin, end=end))

    def fetch(self, uri: str, target: Path) -> None:
        """Streams the blob into a local file. Raises BlobMissingError."""
        with _store_errors(uri), target.open("wb") as out:
            for chunk in obstore.get(self._store, uri).stream(min_chunk_size=CHUNK_BYTES):
                out.write(chunk)

    def local_path(self, uri: str) -> Path | None:
        """Where the blob lies on this machine, or None when the store is remote."""
        return self.root / uri if self.root else None

    def location(self, uri: str) -> str:
        """The blob's absolute path with a local store, else its URL."""
        return str(self.root / uri) if self.root else f"{self.url.rstrip('/')}/{uri}"

    def list(self, folder: str) -> Iterator[str]:
        """The uri of every blob under `folder/`."""
        with _store_errors(folder):
            for page in obstore.list(self._store, prefix=f"{folder.strip('/')}/"):
                yield from (entry["path"] for entry in page)

    def pages(self) -> Iterator[Sequence[Entry]]:
        """Every blob of the store, in no order, a bounded number at a time."""
        with _store_errors("the root"):
            for page in obstore.list(self._store, chunk_size=PAGE_ENTRIES):
                yield [Entry(entry["path"], entry["last_modified"]) for entry in page]

    def delete(self, uris: Iterable[str]) -> None:
        """Deletes blobs; one that is gone already is no error, and hinders no other."""
        if self.root is None:
            with _store_errors("a deletion"):
                obstore.delete(self._store, list(uris))  # by the thousand; object stores do not mind what is gone
            return
        for uri in uris:
            with _store_errors(uri), suppress(FileNotFoundError):
                if (place := segments.place_of(uri)) is not None:
                    segments.blank(self.root, place)
                else:
                    obstore.delete(self._store, uri)

    def lines(self, segment: str) -> Sequence[segments.Line]:
        """The documents that a segment of a local store still holds. Raises BlobMissingError."""
        assert self.root is not None  # nobody else has segments
        with _store_errors(segment):
            return tuple(segments.lines(self.root, segment))

    def delete_folder(self, folder: str) -> int:
        """Deletes everything under `folder/`; answers how many blobs that were."""
        uris = list(self.list(folder))
        self.delete(uris)
        if self.root is not None:
            _remove_empty(self.root / folder)
        return len(uris)

    def check(self) -> None:
        """Asks the store for one page of a listing. Raises BlobStoreError when it cannot answer."""
        with _store_errors("the root"):
            next(iter(obstore.list(self._store, prefix="piperoll-check/")), None)

    def _flush(self, uri: str) -> None:
        """Local blobs reach the disk before a fact may name them.

        One fsync of a new file brings its names in the folders above it along on the journalling file systems
        (ext4, XFS, Btrfs), so the folders need none of their own.
        """
        if self.root is None:
            return
        handle = os.open(self.root / uri, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class AsyncBlobs:
    """The calls of Blobs that services make, each on a thread, so that the event loop never waits for a disk."""

    def __init__(self, blobs: Blobs) -> None:
        self.sync = blobs
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs")
        self._small = None if blobs.root is None else segments.GroupCommit(blobs.root)

    async def put(self, folder: str, content: bytes, media_type: str = "application/json") -> Claim:
        """See Blobs.put."""
        return await self._run(self.sync.put, folder, content, media_type)

    async def put_input(self, subject: str, document: bytes, repeatable: bool) -> Claim:
        """Stores a JSON document that a job or batch was given, without line ends; answers its Claim.

        With a local store a small one comes to lie in a segment. What may be stored again for the same subject
        (`repeatable`) lies under `{subject}/in/`, where a repeat is the same blob, and so does all else.
        """
        if repeatable or self._small is None or len(document) > segments.MAX_DOCUMENT_BYTES:
            return await self.put(f"{subject}/in", document)
        try:
            place = await self._small.append(subject, document)
        except OSError as error:
            raise BlobStoreError(f"the blob store failed at a segment: {error}") from error
        return Claim(uri=place.uri, sha256=hashlib.sha256(document).hexdigest(), size=len(document))

    async def mark(self, uri: str) -> None:
        """Writes an empty blob whose name says it all. One that is there already stays."""
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

    async def size(self, uri: str) -> int:
        """See Blobs.size."""
        return await self._run(self.sync.size, uri)

    async def chunks(self, uri: str, begin: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `begin` to `end`, one chunk at a time; whoever stops asking leaves nothing open."""
        for start in range(begin, end, CHUNK_BYTES):
            yield await self._run(self.sync.read, uri, start, min(start + CHUNK_BYTES, end))

    async def names(self, folder: str) -> Sequence[str]:
        """See Blobs.list; all at once."""
        return await self._run(lambda: tuple(self.sync.list(folder)))

    async def pages(self) -> AsyncIterator[Sequence[Entry]]:
        """See Blobs.pages."""
        pages = self.sync.pages()
        while (page := await self._run(lambda: next(pages, None))) is not None:
            yield page

    async def lines(self, segment: str) -> Sequence[segments.Line]:
        """See Blobs.lines."""
        return await self._run(self.sync.lines, segment)

    async def delete(self, uris: Iterable[str]) -> None:
        """See Blobs.delete."""
        await self._run(self.sync.delete, uris)

    async def delete_folder(self, folder: str) -> int:
        """See Blobs.delete_folder."""
        return await self._run(self.sync.delete_folder, folder)

    async def check(self) -> None:
        """See Blobs.check."""
        await self._run(self.sync.check)

    def close(self) -> None:
        """Gives the threads back, after what they are at."""
        self._threads.shutdown(wait=True)
        if self._small is not None:
            self._small.close()

    async def _run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: call(*args, **kwargs))


def _remove_empty(folder: Path) -> None:
    """Removes what a deletion leaves in a local folder: folders without a blob, innermost first."""
    for path, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # written to again meanwhile, or removed by another
            Path(path).rmdir()


class _store_errors:  # noqa: N801 - reads as the statement it is: `with _store_errors(uri):`
    """Turns the store's errors into ours. What a write finds missing is the store itself, not a blob."""

    def __init__(self, uri: str, writing: bool = False) -> None:
        self._uri = uri
        self._writing = writing

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FileNotFoundError) and not self._writing:
            raise BlobMissingError(f"there is no blob at {self._uri}") from error
        if isinstance(error, BaseError | OSError):
            raise BlobStoreError(f"the blob store failed at {self._uri}: {error}") from error
