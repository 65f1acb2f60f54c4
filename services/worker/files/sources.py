"""Open the file that a job names: a path under the allowed folders, an upload, a url, a blob.

A path is opened by `.beneath`, so that neither it nor a folder on the way can be replaced by a link between check and
read.
"""

import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from piperoll.store.blobs import BlobMissingError, BlobStoreError, BlobUnreadableError
from piperoll.store.paths import refusal_of
from schemas.claims import Claim
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.fetch.download import fetch, no_heartbeat
from services.worker.files.beneath import open_file, root_of
from services.worker.run.workspace import Limits, Workspace

UPLOAD_SCHEME = "upload://"
SETTLE_S = 0.5  # maximum wait for a file that is still being written (docs/contract/secretary.md#conventions)
SETTLE_STEP_S = 0.02
MD5_DIGITS = 32
TAIL_BYTES = 1024  # an end marker must be in these last bytes
NO_BLOB = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP})
"""Errors of opening a path that no blob has. All others are of the store."""
FILE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Source:
    """An open input: its name, its size in bytes, and the checked descriptor.

    `media_type` is the one declared by a server for a download, or by the uploader of a document; else empty.
    `charset` is the one that a server declared for a download, else empty.
    """

    name: str
    size: int
    file: BinaryIO
    media_type: str = ""
    charset: str = ""

    @property
    def path(self) -> str:
        """A path that opens the same file again, even if it was renamed (proc(5), /proc/pid/fd)."""
        return f"/proc/self/fd/{self.file.fileno()}"

    @property
    def written_ns(self) -> int:
        """The modification time of the content, to detect changes during a run."""
        return os.fstat(self.file.fileno()).st_mtime_ns

    def sha256(self) -> str:
        """Return the SHA-256 of the content."""
        return self._digest("sha256")

    def require_hash(self, expected: str) -> None:
        """Compare the content's MD5 or SHA-256 with `expected`, by its length. Raises INVALID_PARAMETERS."""
        algorithm = "md5" if len(expected) == MD5_DIGITS else "sha256"
        found = self._digest(algorithm)
        if found != expected:
            raise ProcessingError(
                ErrorCode.INVALID_PARAMETERS,
                f"The file does not match file_hash: its {algorithm.upper()} is {found}.",
                error_type="FileHashMismatch",
            )

    def _digest(self, algorithm: str) -> str:
        with open(self.path, "rb") as again:  # noqa: PTH123 - keeps the descriptor's position
            return hashlib.file_digest(again, algorithm).hexdigest()


@contextmanager
def open_source(filename: str, workspace: Workspace, end_marker: bytes) -> Iterator[Source]:
    """Open `filename` of docs/contract/secretary.md#conventions and docs/contract/additions.md#uploads. Waits up to
    SETTLE_S for a recently changed file without `end_marker`.

    Raises ProcessingError: FILE_NOT_ALLOWED, FILE_NOT_FOUND, FILE_TOO_LARGE; BlobStoreError.
    """
    if not filename.startswith(UPLOAD_SCHEME):
        with open_path(Path(filename.replace("\\", "/")), workspace, end_marker) as source:
            yield source
        return
    name, file = _open_upload(filename.removeprefix(UPLOAD_SCHEME), workspace)
    with file:
        yield _source(name, file, workspace)


@contextmanager
def open_path(path: Path, workspace: Workspace, end_marker: bytes) -> Iterator[Source]:
    """Open a file on the worker's disk, whose name may have backslashes. Waits and raises as `open_source`."""
    resolved, root = _allowed(path, workspace)
    with _open_settled(resolved, root, end_marker) as file:
        yield _source(resolved.name, file, workspace)


def _source(name: str, file: BinaryIO, workspace: Workspace) -> Source:
    size = os.fstat(file.fileno()).st_size
    _check_size(size, workspace.limits)
    return Source(name=name, size=size, file=file)


@contextmanager
def open_url(url: str, workspace: Workspace, beat: Callable[[], None] = no_heartbeat) -> Iterator[Source]:
    """Download a `url` into the run's folder and open it. Raises ProcessingError as `fetch` does."""
    fetched = fetch(url, workspace, beat=beat)
    with fetched.path.open("rb") as file:
        yield Source(fetched.name, fetched.size, file, fetched.media_type, fetched.charset or "")


@contextmanager
def open_claim(claim: Claim, name: str, workspace: Workspace) -> Iterator[Source]:
    """Open a document's content from the blob store, without loading it into memory.

    Raises ProcessingError: FILE_NOT_FOUND when it was removed, FILE_TOO_LARGE; BlobStoreError.
    """
    try:
        file = _open_blob(claim.uri, workspace)
    except BlobMissingError as error:
        raise ProcessingError(
            ErrorCode.FILE_NOT_FOUND,
            f"The content of the document {_short(name)} was removed.",
        ) from error
    with file:
        size = os.fstat(file.fileno()).st_size
        _check_size(size, workspace.limits)
        yield Source(name=name, size=size, file=file, media_type=claim.media_type)


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.max_bytes:
        raise ProcessingError(
            ErrorCode.FILE_TOO_LARGE, f"The file has {size:,} bytes; at most {limits.max_bytes:,} are allowed."
        )


# --- a path on the worker's disk ------------------------------------------------------------------------------


def _allowed(path: Path, workspace: Workspace) -> tuple[Path, Path]:
    """Return the resolved path and the root that it is below. Paths elsewhere are not accessed."""
    store = workspace.blobs.root
    if not path.is_absolute() or ".." in path.parts:
        raise _not_allowed()
    try:
        resolved = path.resolve()
        is_stored = store is not None and resolved.is_relative_to(store.resolve())
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: a loop of links; ValueError: a NUL
        raise _not_found(path.name) from error
    root = root_of(resolved, workspace.limits.roots)
    if root is None or is_stored:  # the blob store is refused as a root too, when a service starts
        raise _not_allowed()
    return resolved, root


def _open_settled(path: Path, root: Path, end_marker: bytes) -> BinaryIO:
    deadline = time.monotonic() + SETTLE_S
    while True:
        last_try = time.monotonic() >= deadline
        try:
            file = open_file(path, root)
        except OSError as error:
            if last_try or not isinstance(error, FileNotFoundError):
                raise _not_found(path.name) from error
        else:
            if last_try or not _still_written(file, end_marker):
                return file
            file.close()
        time.sleep(SETTLE_STEP_S)


def _still_written(file: BinaryIO, end_marker: bytes) -> bool:
    about = os.fstat(file.fileno())
    if abs(time.time() - about.st_mtime) > SETTLE_S:
        return False
    return end_marker not in os.pread(file.fileno(), TAIL_BYTES, max(0, about.st_size - TAIL_BYTES))


# --- an upload in the blob store ------------------------------------------------------------------------------


def _open_upload(reference: str, workspace: Workspace) -> tuple[str, BinaryIO]:
    file_id, _, name = reference.partition("/")
    if not FILE_ID.fullmatch(file_id) or "/" in name or name in ("", ".", ".."):
        raise _not_found(reference)
    uri = f"uploads/{workspace.owner}/{file_id}/{name}"
    if refusal_of(uri) is not None:
        raise _not_found(reference)
    try:
        return name, _open_blob(uri, workspace)
    except (BlobMissingError, BlobUnreadableError) as error:  # the latter: no blob can have the name
        raise ProcessingError(
            ErrorCode.FILE_NOT_FOUND, f"The upload {_short(reference)} does not exist: send it to /api/files first."
        ) from error


def _open_blob(uri: str, workspace: Workspace) -> BinaryIO:
    """Open a blob's file, or a local copy. Raises BlobMissingError; BlobStoreError for all other errors."""
    path = workspace.blobs.local_path(uri)
    try:
        return _open_regular(path or _fetched(uri, workspace))
    except OSError as error:
        if isinstance(error, IsADirectoryError) or error.errno in NO_BLOB:
            raise BlobMissingError(f"no blob at {uri}") from error
        raise BlobStoreError(f"the blob store failed at {uri}: {error}") from error


def _open_regular(path: Path) -> BinaryIO:
    """Open a regular file; no link, no device. Non-blocking, since opening a named pipe would block."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise IsADirectoryError(f"{path} is not a regular file")
    return os.fdopen(handle, "rb")


def _fetched(uri: str, workspace: Workspace) -> Path:
    """Return a local copy of a remote blob; its size is checked before the download."""
    _check_size(workspace.blobs.size(uri), workspace.limits)
    target = workspace.folder / "source"
    workspace.blobs.fetch(uri, target)
    return target


# --- errors ---------------------------------------------------------------------------------------------------


def _not_allowed() -> ProcessingError:
    return ProcessingError(
        ErrorCode.FILE_NOT_ALLOWED, "The file lies outside the folders that jobs may read (PIPEROLL_FILES_ROOTS)."
    )


def _not_found(name: str) -> ProcessingError:
    return ProcessingError(
        ErrorCode.FILE_NOT_FOUND, f"The file {_short(name)} does not exist, or the worker cannot read it."
    )


def _short(name: str) -> str:
    return name if len(name) <= 200 else f"{name[:200]}…"
