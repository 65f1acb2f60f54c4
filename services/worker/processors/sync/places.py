"""The source of a job, and the check that it is allowed."""

from pathlib import PurePath, PurePosixPath
from urllib.parse import unquote, urlsplit

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.processors.sync.folder import LocalFolder, allowed_folder
from services.worker.processors.sync.listing import SyncPlace, path_in
from services.worker.processors.sync.store import ObjectStore
from services.worker.run.workspace import Workspace


def place_of(source: str, workspace: Workspace) -> SyncPlace:
    """Return the source of a job. Raises ProcessingError FILE_NOT_ALLOWED, FILE_NOT_FOUND, NETWORK_ERROR."""
    own = workspace.blobs.root
    if urlsplit(source).scheme == "file":
        folder, root = allowed_folder(path_in(source), workspace.limits)
        if own is not None:
            _check_apart(folder, own.resolve())
        return LocalFolder(folder, root, workspace)
    if own is None and _bucket(source) == _bucket(workspace.blobs.url):
        _check_apart(PurePosixPath(path_in(source)), PurePosixPath(path_in(workspace.blobs.url)))
    return ObjectStore(source, workspace)


def _bucket(url: str) -> str:
    return unquote(urlsplit(url).netloc).lower()


def _check_apart(source: PurePath, own: PurePath) -> None:
    """Raise FILE_NOT_ALLOWED if the source overlaps the blob store, which contains the data of all owners."""
    if source.is_relative_to(own) or own.is_relative_to(source):
        raise ProcessingError(
            ErrorCode.FILE_NOT_ALLOWED, "The source overlaps with Piperoll's blob store, which is not allowed."
        )
