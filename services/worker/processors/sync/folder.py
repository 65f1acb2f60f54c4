"""A folder on the worker's disk as a source. Not listed by obstore, which follows links and fails at loops."""

import os
import time
from contextlib import AbstractContextManager
from pathlib import Path

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.files.beneath import open_folder, root_of
from services.worker.files.sources import SETTLE_S, Source, open_path
from services.worker.processors.sync.listing import Heartbeat, ListedFile, SourceListing, readable
from services.worker.run.workspace import Limits, Workspace


class LocalFolder:
    """A folder under the allowed roots. Hidden files are skipped, links are not followed."""

    def __init__(self, folder: Path, root: Path, workspace: Workspace) -> None:
        self._folder = folder
        self._root = root
        self._workspace = workspace

    def list_files(self, beat: Heartbeat) -> SourceListing:
        """See SyncPlace.list_files. Returns SETTLE_S after the newest change, so that later writes get a new time."""
        listing, newest, pending = SourceListing(), 0, [""]
        while pending:
            below = pending.pop()
            beat()
            try:
                newest = max(newest, self._list_folder(below, listing, pending))
            except OSError as error:
                if below == "":
                    raise _no_such_folder() from error
                listing.unread.append(below)
        time.sleep(min(SETTLE_S, max(0.0, newest / 1e9 + SETTLE_S - time.time())))
        return listing

    def _list_folder(self, below: str, listing: SourceListing, pending: list[str]) -> int:
        """Add one folder to the listing; return the newest modification time in nanoseconds."""
        newest, handle = 0, open_folder(self._folder / below, self._root)
        try:
            with os.scandir(handle) as entries:
                for entry in entries:
                    newest = max(newest, _list_entry(entry, below, listing, pending))
        finally:
            os.close(handle)
        return newest

    def open(self, path: str, beat: Heartbeat) -> AbstractContextManager[Source]:
        """See SyncPlace.open; the location of the open file is checked again."""
        beat()
        return open_path(self._folder / path, self._workspace, b"")


def _list_entry(entry: "os.DirEntry[str]", below: str, listing: SourceListing, pending: list[str]) -> int:
    """Add an entry of the folder `below`; return the modification time of a file in nanoseconds, else 0."""
    path = f"{below}/{entry.name}" if below else entry.name
    if entry.name.startswith("."):
        listing.hidden += 1
    elif entry.is_symlink():
        listing.links.append(readable(path))
    elif entry.is_dir(follow_symlinks=False):
        pending.append(path)
    elif entry.is_file(follow_symlinks=False):
        about = entry.stat(follow_symlinks=False)
        listing.files[path] = ListedFile(about.st_size, revision_of(about))
        return about.st_mtime_ns
    return 0


def revision_of(about: os.stat_result) -> str:
    """Return a revision that changes when the file is written, replaced or restored."""
    return f"{about.st_size:x}-{about.st_mtime_ns:x}-{about.st_ino:x}"


def allowed_folder(path: str, limits: Limits) -> tuple[Path, Path]:
    """Return the resolved folder and the root that it is at or below.

    Raises ProcessingError FILE_NOT_ALLOWED, FILE_NOT_FOUND.
    """
    try:
        folder = Path(path).resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        if root_of(Path(path), limits.roots) is None:
            raise _not_allowed() from error
        raise _no_such_folder() from error
    root = root_of(folder, limits.roots)
    if root is None:
        raise _not_allowed()
    if not folder.is_dir():
        raise _no_such_folder()
    return folder, root


def _not_allowed() -> ProcessingError:
    return ProcessingError(
        ErrorCode.FILE_NOT_ALLOWED, "The source lies outside the folders that jobs may read (PIPEROLL_FILES_ROOTS)."
    )


def _no_such_folder() -> ProcessingError:
    return ProcessingError(ErrorCode.FILE_NOT_FOUND, "The source is not a folder that the worker can read.")
