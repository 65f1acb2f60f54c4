"""A prefix of an object store as a source of synchronisation, accessed with the worker's settings."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import from_url

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.files.sources import Source
from services.worker.processors.sync.listing import Heartbeat, ListedFile, SourceListing
from services.worker.run.workspace import Workspace

PAGE_ENTRIES = 1000  # the maximum of S3
PIECE_BYTES = 1024 * 1024
RETRY: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=60)}
"""Retries within a call. A longer outage is retried by the job."""
STATUS = re.compile(r"status code: (\d{3})")
TEMPORARY = frozenset({408, 429})
"""Statuses below 500 that are worth a retry."""


class ObjectStore:
    """The objects below a url. Raises ProcessingError."""

    def __init__(self, url: str, workspace: Workspace) -> None:
        self._workspace = workspace
        try:
            self._store: Any = from_url(url, retry_config=RETRY)
        except (BaseError, ValueError) as error:
            raise _unreachable(error) from error

    def list_files(self, beat: Heartbeat) -> SourceListing:
        """See SyncPlace.list_files."""
        listing = SourceListing()
        try:
            for page in obstore.list(self._store, chunk_size=PAGE_ENTRIES):
                beat()
                for entry in page:
                    if any(part.startswith(".") for part in PurePosixPath(entry["path"]).parts):
                        listing.hidden += 1
                    else:
                        listing.files[entry["path"]] = ListedFile(entry["size"], _object_revision(entry))
        except BaseError as error:
            raise _unreachable(error) from error
        return listing

    @contextmanager
    def open(self, path: str, beat: Heartbeat) -> Iterator[Source]:
        """See SyncPlace.open; the object is downloaded into the run's folder and deleted there afterwards."""
        target = self._workspace.folder / "found"
        try:
            size = self._fetch(path, target, beat)
            with target.open("rb") as file:
                yield Source(name=PurePosixPath(path).name, size=size, file=file)
        finally:
            target.unlink(missing_ok=True)

    def _fetch(self, path: str, target: Path, beat: Heartbeat) -> int:
        limit, size = self._workspace.limits.max_bytes, 0
        try:
            with target.open("wb") as out:
                for piece in obstore.get(self._store, path).stream(min_chunk_size=PIECE_BYTES):
                    beat()
                    size += len(piece)
                    if size > limit:
                        raise ProcessingError(ErrorCode.FILE_TOO_LARGE, f"The file has more than {limit:,} bytes.")
                    out.write(piece)
        except (FileNotFoundError, NotFoundError) as error:
            raise ProcessingError(ErrorCode.FILE_NOT_FOUND, "The file was deleted while it was read.") from error
        except BaseError as error:
            raise _unreachable(error) from error
        return size


def _object_revision(entry: Mapping[str, Any]) -> str:
    """Return the ETag and the time: storing the same content again is a new revision."""
    stamp = int(entry["last_modified"].timestamp())  # some stores return fractions in some answers only
    tag = (entry["e_tag"] or f"{entry['size']:x}").removeprefix("W/").strip('"')
    return f"{tag}-{stamp:x}"


def _unreachable(error: Exception) -> ProcessingError:
    """Convert an error of obstore; its text may contain internal addresses and settings, so it is not used."""
    found = STATUS.search(str(error))
    status = int(found[1]) if found else None
    refused = isinstance(error, PermissionDeniedError | UnauthenticatedError) or status in (401, 403)
    if refused:
        return ProcessingError(ErrorCode.FILE_NOT_ALLOWED, "The object store rejects the worker's credentials.")
    if status == 404:
        return ProcessingError(ErrorCode.FILE_NOT_FOUND, "The bucket or container does not exist.")
    permanent = status is not None and 400 <= status < 500 and status not in TEMPORARY
    answer = f" It answered with status {status}." if status else ""
    return ProcessingError(
        ErrorCode.NETWORK_ERROR,
        f"The object store cannot be reached with the worker's settings.{answer}",
        retryable=not permanent,
    )
