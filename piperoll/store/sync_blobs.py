"""A blob store by its URL, one call at a time: for child processes, and for the threads of AsyncBlobs."""

import hashlib
import mimetypes
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, from_url

from piperoll.store import segments
from piperoll.store.errors import (
    BlobMissingError,
    BlobStoreError,
    BlobUnreadableError,
    ClaimMismatchError,
    store_errors,
)
from piperoll.store.local_files import (
    UNFINISHED,
    create,
    flush,
    remove_abandoned,
    remove_empty,
    remove_unfinished,
    replace,
)
from piperoll.store.marker import MarkerGuard
from piperoll.store.paths import refusal_of
from schemas.claims import Claim

CHUNK_BYTES = 1024 * 1024
ROOT = "the root"  # in errors
PAGE_ENTRIES = 1000  # the maximum of S3
CHECK_FOLDER = "piperoll-check"
CHECK_BYTES = 64 * 1024  # a small file may still fit on a disk that is full


@dataclass(frozen=True, slots=True)
class BlobEntry:
    """A blob in a listing. A copy in a local store has the time of its original."""

    uri: str
    written_at: datetime


class Blobs:
    """A blob store by URL. Every call raises BlobStoreError when the store fails, and BlobUnreadableError for a name
    that no blob can have; no other errors.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self.root: Path | None = None
        if parts.scheme == "file":
            self.root = Path(unquote(parts.path))
            self._store = LocalStore(self.root, mkdir=True)
        else:
            self._store = from_url(url)  # type: ignore[assignment]
        self.guard = MarkerGuard(self._store, self.root)

    def put(self, folder: str, content: bytes, media_type: str = "application/json") -> Claim:
        """Write content to `folder/{sha256}` and return its Claim."""
        digest = hashlib.sha256(content).hexdigest()
        return self.put_named(f"{folder}/{digest}", content, media_type, digest)

    def put_named(self, uri: str, content: bytes, media_type: str, digest: str | None = None) -> Claim:
        """Write content to `uri` unless a blob exists there; return its Claim. The blob's time is the current one."""
        with self._errors(uri, writing=True):
            try:
                self._create(uri, content)
            except (AlreadyExistsError, FileExistsError):
                self._renew(uri, content)
        digest = digest or hashlib.sha256(content).hexdigest()
        return Claim(uri=uri, sha256=digest, size=len(content), media_type=media_type)

    def replace(self, uri: str, content: bytes) -> None:
        """Write content atomically over an existing blob. Content of jobs is never replaced."""
        with self._errors(uri, writing=True):
            if self.root is not None:
                replace(self.root / uri, content)
            else:
                obstore.put(self._store, uri, content, mode="overwrite", use_multipart=False)

    def put_file(self, uri: str, source: BinaryIO, media_type: str | None = None) -> Claim:
        """Stream an open file to `uri` in chunks."""
        digest = hashlib.sha256()
        size = 0

        def chunks() -> Iterator[bytes]:
            nonlocal size
            while chunk := source.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                yield chunk

        with self._errors(uri, writing=True):
            obstore.put(self._store, uri, chunks(), chunk_size=5 * CHUNK_BYTES, max_concurrency=2)
            self._flush(uri)
        kind = media_type or mimetypes.guess_type(uri)[0] or "application/octet-stream"
        return Claim(uri=uri, sha256=digest.hexdigest(), size=size, media_type=kind)

    def get(self, uri: str) -> bytes:
        """Return the content of a blob or of a segment's entry. Raises BlobMissingError and BlobUnreadableError."""
        with self._errors(uri):
            if self.root is not None and (found := segments.range_of(uri)) is not None:
                return segments.read(self.root, found)
            return bytes(obstore.get(self._store, uri).bytes())

    def get_claimed(self, claim: Claim) -> bytes:
        """The content that a claim names, its hash checked. Raises BlobMissingError and ClaimMismatchError."""
        content = self.get(claim.uri)
        if hashlib.sha256(content).hexdigest() != claim.sha256:
            raise ClaimMismatchError(f"the blob at {claim.uri} is not the one that the log names")
        return content

    def copy(self, names: Iterable[tuple[str, str]]) -> None:
        """Copy blobs (source, target) within the store; a local store makes hard links. Raises BlobMissingError."""
        folders = set()
        for source, target in names:
            self._require_path(target)
            with self._errors(source, guarded=True), suppress(AlreadyExistsError):
                obstore.copy(self._store, source, target, overwrite=False)
            folders.add(target.rpartition("/")[0])
        for folder in folders:
            self._flush(folder)  # the content was flushed when it was first written

    def size(self, uri: str) -> int:
        """Return the size of the blob in bytes. Raises BlobMissingError and BlobUnreadableError."""
        with self._errors(uri):
            return int(obstore.head(self._store, uri)["size"])

    def read(self, uri: str, begin: int, end: int) -> bytes:
        """Return the bytes from `begin` to `end`, exclusive, which must be within the blob. Raises BlobMissingError."""
        with self._errors(uri):
            return bytes(obstore.get_range(self._store, uri, start=begin, end=end))

    def fetch(self, uri: str, target: Path) -> None:
        """Stream the blob into a local file. Raises BlobMissingError."""
        with self._errors(uri), target.open("wb") as out:
            for chunk in obstore.get(self._store, uri).stream(min_chunk_size=CHUNK_BYTES):
                out.write(chunk)

    def local_path(self, uri: str) -> Path | None:
        """Return the path of the blob on this machine, or None for a remote store."""
        return self.root / uri if self.root else None

    def location(self, uri: str) -> str:
        """Return the blob's absolute path in a local store, else its URL."""
        return str(self.root / uri) if self.root else f"{self.url.rstrip('/')}/{uri}"

    def list(self, folder: str) -> Iterator[str]:
        """Yield the uri of every blob under `folder/`, or of all blobs."""
        folder = folder.strip("/")
        with self._errors(folder or ROOT, guarded=True):
            for page in obstore.list(self._store, prefix=f"{folder}/" if folder else None):
                yield from (entry["path"] for entry in page)

    def entries(self, folder: str) -> Sequence[BlobEntry]:
        """Return every blob under `folder/`."""
        return [entry for page in self.pages(folder.strip("/")) for entry in page]

    def pages(self, folder: str = "") -> Iterator[Sequence[BlobEntry]]:
        """Yield all blobs of the store, or those under `folder/`, unordered, in pages of at most PAGE_ENTRIES."""
        with self._errors(folder or ROOT, guarded=True):
            for page in obstore.list(self._store, prefix=f"{folder}/" if folder else None, chunk_size=PAGE_ENTRIES):
                yield [BlobEntry(entry["path"], entry["last_modified"]) for entry in page]

    def bytes_in(self, folder: str) -> int:
        """Return the size of all blobs under `folder/` together."""
        with self._errors(folder, guarded=True):
            pages = obstore.list(self._store, prefix=f"{folder.strip('/')}/", chunk_size=PAGE_ENTRIES)
            return sum(entry["size"] for page in pages for entry in page)

    def delete(self, uris: Iterable[str]) -> None:
        """Delete blobs; missing ones are ignored."""
        if self.root is None:
            named = list(uris)
            for uri in named:
                self._require_path(uri)
            with self._errors("a deletion"):
                obstore.delete(self._store, named)  # in requests of a thousand; object stores ignore missing ones
            return
        for uri in uris:
            with self._errors(uri, guarded=True), suppress(FileNotFoundError):
                if (found := segments.range_of(uri)) is not None:
                    segments.blank(self.root, found)
                else:
                    obstore.delete(self._store, uri)

    def lines(self, segment: str) -> Sequence[segments.SegmentLine]:
        """Return the entries of a segment that are not erased. Raises BlobMissingError."""
        assert self.root is not None  # only local stores have segments
        with self._errors(segment):
            return tuple(segments.lines(self.root, segment))

    def delete_folder(self, folder: str) -> int:
        """Delete all blobs under `folder/`, and what killed processes left of others there; return their number."""
        uris = list(self.list(folder))
        self.delete(uris)
        if self.root is not None:
            remove_unfinished(self.root / folder)
        self.remove_empty(folder)
        return len(uris)

    def remove_abandoned(self, age_s: float) -> int:
        """Remove what killed processes left of writes to a local store; object stores drop it. Return their number.

        A write that goes on must not be silent for `age_s` seconds.
        """
        if self.root is None:
            return 0
        with self._errors(ROOT, guarded=True):
            return remove_abandoned(self.root, age_s)

    def remove_empty(self, folder: str) -> None:
        """Remove the folders of a local store that have no blobs left; object stores have none."""
        if self.root is not None:
            remove_empty(self.root / folder)

    def check(self, name: str, size: int = CHECK_BYTES) -> None:
        """Write a blob, by default as large as most results, read it and delete it. Raises BlobStoreError.

        What an earlier trial of this name left is deleted too.
        """
        uri = f"{CHECK_FOLDER}/{name.replace('/', '-')}"
        try:
            self.replace(uri, bytes(size))
            self._require_back(uri, size)
        finally:
            self.delete([uri])
            if self.root is not None:
                remove_unfinished(self.root / uri)
                with suppress(OSError):  # an empty folder would be all that is in a volume that is not mounted
                    (self.root / CHECK_FOLDER).rmdir()

    def _require_back(self, uri: str, size: int) -> None:
        try:
            found = self.get(uri)
        except BlobMissingError as error:
            raise BlobStoreError(f"{uri} was written and cannot be found") from error
        if len(found) != size:
            raise BlobStoreError(f"{uri} was written and has other content")

    def _errors(self, uri: str, writing: bool = False, guarded: bool = False) -> store_errors:
        """Convert errors at `uri`. `guarded`: without its marker the store would give a wrong answer.

        Raises BlobUnreadableError for a name that no blob can have.
        """
        self._require_path(uri)
        if writing or guarded:
            with store_errors(uri, self.guard):
                self.guard.before()
        return store_errors(uri, self.guard, writing, self.root)

    def _create(self, uri: str, content: bytes) -> None:
        if self.root is not None:
            create(self.root / uri, content)
        else:
            obstore.put(self._store, uri, content, mode="create", use_multipart=False)

    def _renew(self, uri: str, content: bytes) -> None:
        """Give the blob of an earlier attempt of the same write the current time, which shows the sweep its use."""
        if self.root is not None:
            os.utime(self.root / uri)
            self._flush(uri)
        elif bytes(obstore.get(self._store, uri).bytes()) == content:  # a store can only be given the content again
            obstore.put(self._store, uri, content, mode="overwrite", use_multipart=False)

    def _require_path(self, uri: str) -> None:
        """Raise BlobUnreadableError if no blob can be at `uri`, which is known without asking the store."""
        why = refusal_of(uri)
        if why is None and self.root is not None and UNFINISHED.search(uri):
            why = "a local store reserves names that end in # and a number"
        if why is not None:
            raise BlobUnreadableError(f"no blob can be at {uri[:100]!r}: {why}")

    def _flush(self, uri: str) -> None:
        if self.root is not None:
            flush(self.root / uri)
