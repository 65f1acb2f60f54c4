"""Carries out a sandbox's calls of the blob store, in the child, as far as the run's grant allows.

A blob of a local store is linked into the folder of inputs, which costs nothing for a large file; across file systems
it is copied. What a sandbox stores from a file comes as an open file: a path could be exchanged for a link to anything.
"""

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from piperoll.store.blobs import (
    CHUNK_BYTES,
    BlobMissingError,
    Blobs,
    BlobStoreError,
    BlobUnreadableError,
    ClaimMismatchError,
)
from schemas.claims import Claim
from services.worker.children.channel import Received
from services.worker.children.errand_file import ErrandFile, ErrandFileError
from services.worker.children.errands import Answer, Problem, StoreErrand
from services.worker.children.grants import Grant, NotGrantedError, is_content
from services.worker.errors import EXHAUSTED

PROBE_BYTES: Final = 64 * 1024
OTHER_DISK: Final = frozenset({errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP})
"""Errors of link(2) after which a copy may succeed; EPERM also where the system protects files of other accounts."""
NO_BLOB: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP})


class Broker:
    """The calls of one run. `beat` is called at least once a second of a long copy."""

    def __init__(self, blobs: Blobs, grant: Grant, inputs: Path, beat: Callable[[], None]) -> None:
        self._blobs = blobs
        self._inputs = inputs
        self._beat = beat
        self._links: list[Path] = []
        self.grant = grant
        self.store_failed = False

    def carry_out(self, errand: StoreErrand, received: Received) -> tuple[Answer, bytes]:
        """Return the answer and its payload; an error of the store is an answer too."""
        try:
            for uri in errand.uris:
                self.grant.require(errand.call, uri)
            return self._call(errand, received)
        except (BlobStoreError, BlobMissingError, ErrandFileError, OSError, MemoryError) as error:
            return self.problem_of(error), b""
        finally:
            received.close()

    def problem_of(self, error: Exception) -> Answer:
        """The answer that names an error of the store."""
        found: Problem
        match error:
            case NotGrantedError():
                found = "refused"
            case ErrandFileError():
                self.store_failed |= error.number in EXHAUSTED and self._on_this_disk(error.device)
                return Answer(problem="file", number=error.number, text=str(error)[:1000])
            case MemoryError():
                found = "memory"
            case ClaimMismatchError():
                found = "mismatch"
            case BlobUnreadableError():
                found = "unreadable"
            case BlobMissingError():
                found = "missing"
            case _:
                found, self.store_failed = "store", True
        return Answer(problem=found, text=str(error)[:1000])

    def can_write(self) -> bool:
        """Whether the disk of the scratch folder takes a small file."""
        probe = self._inputs / "probe"
        self._links.append(probe)
        try:
            probe.write_bytes(bytes(PROBE_BYTES))
        except OSError:
            return False
        return True

    def clear(self) -> None:
        """Remove the links."""
        for link in self._links:
            link.unlink(missing_ok=True)
        self._links.clear()

    def _call(self, errand: StoreErrand, received: Received) -> tuple[Answer, bytes]:
        if errand.call == "delete":
            self._blobs.delete(errand.uris)
            return Answer(), b""
        (uri,) = errand.uris
        match errand.call:
            case "get":
                return Answer(), self._blobs.get(uri)
            case "size":
                return Answer(number=self._blobs.size(uri)), b""
            case "names":
                return Answer(names=tuple(self._blobs.list(uri))), b""
            case "link":
                return Answer(text=str(self._linked(uri))), b""
            case "fetch":
                self._fetch(uri, _opened(received, "wb"))
                return Answer(), b""
            case "put":
                claim = self._put(uri, received.payload, errand.media_type or "application/octet-stream")
            case _:
                claim = self._put_file(uri, _opened(received, "rb"), errand.media_type)
        self.grant.written[uri] = claim
        return Answer(claim=claim), b""

    # --- reading ---------------------------------------------------------------------------------------------

    def _linked(self, uri: str) -> Path:
        """Return the path of a link to a local blob, or of a copy."""
        source = self._blobs.local_path(uri)
        assert source is not None  # the sandbox asks for a link in a local store only
        target = self._inputs / str(len(self._links))
        self._links.append(target)
        try:
            if not stat.S_ISREG(source.lstat().st_mode):
                raise BlobMissingError(f"no blob at {uri}")
            try:
                os.link(source, target, follow_symlinks=False)
            except OSError as error:
                if error.errno not in OTHER_DISK:
                    raise
                shutil.copyfile(source, target, follow_symlinks=False)
        except OSError as error:
            if error.errno in NO_BLOB:
                self._blobs.size(uri)  # raises, also when it is the store that is missing
                raise BlobMissingError(f"no blob at {uri}") from error
            raise BlobStoreError(f"the blob store failed at {uri}: {error}") from error
        return target

    def _on_this_disk(self, device: int) -> bool:
        return device == self._inputs.stat().st_dev

    def _fetch(self, uri: str, file: BinaryIO) -> None:
        with ErrandFile(file, self._beat) as target:
            for begin in range(0, size := self._blobs.size(uri), CHUNK_BYTES):
                target.write(self._blobs.read(uri, begin, min(begin + CHUNK_BYTES, size)))

    # --- writing ---------------------------------------------------------------------------------------------

    def _put(self, uri: str, content: bytes, media_type: str) -> Claim:
        digest = hashlib.sha256(content).hexdigest()
        _require_name(uri, digest)
        return self._blobs.put_named(uri, content, media_type, digest)

    def _put_file(self, uri: str, file: BinaryIO, media_type: str | None) -> Claim:
        with ErrandFile(file, self._beat) as source:
            if is_content(uri):
                return self._put_content(uri, source, media_type)
            return self._stored(uri, source, media_type)

    def _stored(self, uri: str, source: "ErrandFile", media_type: str | None) -> Claim:
        try:
            return self._blobs.put_file(uri, source, media_type)  # type: ignore[arg-type]
        except BlobStoreError:
            if source.error is not None:  # the store only passes it on
                raise source.error from None
            raise

    def _put_content(self, uri: str, file: "ErrandFile", media_type: str | None) -> Claim:
        """Store a document's content, whose name is its hash: it may exist, for a document that this run did not find.

        So it is written from a copy that the sandbox cannot change.
        """
        private = self._inputs.with_name("content")
        try:
            with private.open("w+b") as copy:
                digest = hashlib.sha256()
                while piece := file.read(CHUNK_BYTES):
                    digest.update(piece)
                    copy.write(piece)
                _require_name(uri, digest.hexdigest())
                copy.seek(0)
                return self._stored(uri, ErrandFile(copy, self._beat), media_type)
        except OSError as error:
            if isinstance(error, NotGrantedError):
                raise
            raise BlobStoreError(f"the content of a document could not be copied: {error}") from error
        finally:
            private.unlink(missing_ok=True)


def _require_name(uri: str, digest: str) -> None:
    """Raise NotGrantedError for a document's content that is not the one of its name, which another job may rely on."""
    if is_content(uri) and not uri.endswith(f"/{digest}"):
        raise NotGrantedError("the content of a document is not the one of its name")


def _opened(received: Received, mode: str) -> BinaryIO:
    """The open file of an errand, with the rights that the sandbox opened it with. Raises NotGrantedError."""
    if received.file is None or not stat.S_ISREG(os.fstat(received.file).st_mode):
        raise NotGrantedError("the errand came without a file")
    descriptor, received.file = received.file, None
    return os.fdopen(descriptor, mode)  # type: ignore[return-value]
