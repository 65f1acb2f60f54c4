"""A folder on the worker's disk as a source of synchronisation.

It is walked here and not by obstore, which follows links out of it and fails at one that leads in a circle.
"""

import os
import time
from contextlib import AbstractContextManager
from pathlib import Path

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.files.sources import SETTLE_S, Source, open_source
from services.worker.processors.sync.listing import Listed, SourceListing, Tell, readable
from services.worker.run.workspace import Limits, Workspace


class LocalFolder:
    """A folder under the allowed roots. Hidden files are passed over, links are not followed."""

    def __init__(self, folder: Path, workspace: Workspace) -> None:
        self._folder = folder
        self._workspace = workspace

    def look(self, tell: Tell) -> SourceListing:
        """See SyncPlace.look. Returns when the newest file is settled: what is written from now on has a later time."""
        listing, newest, pending = SourceListing(), 0, [""]
        while pending:
            below = pending.pop()
            tell()
            try:
                newest = max(newest, self._look_into(below, listing, pending))
            except OSError as error:
                if below == "":
                    raise _no_such_folder() from error
                listing.unread.append(below)
        time.sleep(min(SETTLE_S, max(0.0, newest / 1e9 + SETTLE_S - time.time())))
        return listing

    def _look_into(self, below: str, listing: SourceListing, pending: list[str]) -> int:
        """Notes what one folder holds; answers when its newest file was changed, in nanoseconds."""
        newest = 0
        with os.scandir(self._folder / below) as entries:
            for entry in entries:
                path = f"{below}/{entry.name}" if below else entry.name
                if entry.name.startswith("."):
                    listing.hidden += 1
                elif entry.is_symlink():
                    listing.links.append(readable(path))
                elif entry.is_dir(follow_symlinks=False):
                    pending.append(path)
                elif entry.is_file(follow_symlinks=False):
                    about = entry.stat(follow_symlinks=False)
                    listing.files[path] = Listed(about.st_size, revision_of(about))
                    newest = max(newest, about.st_mtime_ns)
        return newest

    def open(self, path: str, tell: Tell) -> AbstractContextManager[Source]:
        """See SyncPlace.open; the descriptor is checked again to lie under the roots."""
        tell()
        return open_source(str(self._folder / path), self._workspace, b"")


def revision_of(about: os.stat_result) -> str:
    """Another one when the file was written to, replaced by another, or put back from elsewhere."""
    return f"{about.st_size:x}-{about.st_mtime_ns:x}-{about.st_ino:x}"


def allowed_folder(path: str, limits: Limits) -> Path:
    """The resolved folder, which lies under a root. Raises ProcessingError FILE_NOT_ALLOWED, FILE_NOT_FOUND."""
    try:
        folder = Path(path).resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        if not any(Path(path).is_relative_to(root) for root in limits.roots):
            raise _not_allowed() from error
        raise _no_such_folder() from error
    if not any(folder.is_relative_to(root) for root in limits.roots):
        raise _not_allowed()
    if not folder.is_dir():
        raise _no_such_folder()
    return folder


def _not_allowed() -> ProcessingError:
    return ProcessingError(
        ErrorCode.FILE_NOT_ALLOWED, "The source lies outside the folders that jobs may read (PIPEROLL_FILES_ROOTS)."
    )


def _no_such_folder() -> ProcessingError:
    return ProcessingError(
        ErrorCode.FILE_NOT_FOUND, "The source is no folder that exists and that the worker can read."
    )
