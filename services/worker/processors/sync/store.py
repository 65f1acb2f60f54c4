"""A prefix of an object store as a source of synchronisation: what obstore reaches with the worker's own settings."""

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
from services.worker.processors.sync.listing import Listed, SourceListing, Tell
from services.worker.run.workspace import Workspace

PAGE_ENTRIES = 1000  # the most that S3 lists at once
PIECE_BYTES = 1024 * 1024
RETRY: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=60)}
"""Within a call. A source that is away for longer is for the job's next attempt."""
STATUS = re.compile(r"status code: (\d{3})")
PASSING = frozenset({408, 429})
"""Statuses below 500 that may be others the next time."""


class ObjectStore:
    """The objects below a url. Raises ProcessingError as its methods do."""

    def __init__(self, url: str, workspace: Workspace) -> None:
        self._workspace = workspace
        try:
            self._store: Any = from_url(url, retry_config=RETRY)
        except (BaseError, ValueError) as error:
            raise _unreachable(error) from error

    def look(self, tell: Tell) -> SourceListing:
        """See SyncPlace.look."""
        listing = SourceListing()
        try:
            for page in obstore.list(self._store, chunk_size=PAGE_ENTRIES):
                tell()
                for entry in page:
                    if any(part.startswith(".") for part in PurePosixPath(entry["path"]).parts):
                        listing.hidden += 1
                    else:
                        listing.files[entry["path"]] = Listed(entry["size"], _object_revision(entry))
        except BaseError as error:
            raise _unreachable(error) from error
        return listing

    @contextmanager
    def open(self, path: str, tell: Tell) -> Iterator[Source]:
        """See SyncPlace.open; the object is downloaded into the run's own folder, and gone from there afterwards."""
        target = self._workspace.folder / "found"
        try:
            size = self._fetch(path, target, tell)
            with target.open("rb") as file:
                yield Source(name=PurePosixPath(path).name, size=size, file=file)
        finally:
            target.unlink(missing_ok=True)

    def _fetch(self, path: str, target: Path, tell: Tell) -> int:
        limit, size = self._workspace.limits.max_bytes, 0
        try:
            with target.open("wb") as out:
                for piece in obstore.get(self._store, path).stream(min_chunk_size=PIECE_BYTES):
                    tell()
                    size += len(piece)
                    if size > limit:
                        raise ProcessingError(ErrorCode.FILE_TOO_LARGE, f"The file has more than {limit:,} bytes.")
                    out.write(piece)
        except (FileNotFoundError, NotFoundError) as error:
            raise ProcessingError(ErrorCode.FILE_NOT_FOUND, "The file went away while it was read.") from error
        except BaseError as error:
            raise _unreachable(error) from error
        return size


def _object_revision(entry: Mapping[str, Any]) -> str:
    """ETag and time: the same content put again is another revision, which costs a look into the cache."""
    stamp = int(entry["last_modified"].timestamp())  # some stores tell fractions in one answer and not in another
    tag = (entry["e_tag"] or f"{entry['size']:x}").removeprefix("W/").strip('"')
    return f"{tag}-{stamp:x}"


def _unreachable(error: Exception) -> ProcessingError:
    """What the store's library says names inner addresses and settings: the client gets the gist."""
    found = STATUS.search(str(error))
    status = int(found[1]) if found else None
    refused = isinstance(error, PermissionDeniedError | UnauthenticatedError) or status in (401, 403)
    if refused:
        return ProcessingError(
            ErrorCode.FILE_NOT_ALLOWED, "The object store refuses the credentials that the worker has for it."
        )
    if status == 404:
        return ProcessingError(ErrorCode.FILE_NOT_FOUND, "There is no such bucket or container.")
    lasting = status is not None and 400 <= status < 500 and status not in PASSING
    said = f" It answered with status {status}." if status else ""
    return ProcessingError(
        ErrorCode.NETWORK_ERROR,
        f"The object store cannot be reached with the settings that the worker has for it.{said}",
        retryable=not lasting,
    )
