"""Takes a file in as a document: stores its content where the document's content belongs, and says what was found.

The document becomes one by the facts that the worker appends when the run is over
(`services.worker.manager.found_documents`).
"""

import io
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, TypeVar

from piperoll.store import document_paths as documents
from piperoll.store.blobs import BlobMissingError, Blobs
from schemas.claims import Claim
from schemas.documents import Findings
from schemas.errors import ErrorCode
from schemas.ids import found_document_id
from schemas.media import MEDIA_TYPES
from services.worker.errors import ProcessingError
from services.worker.files.sources import Source
from services.worker.run.workspace import Workspace

NAME_CHARS = 500  # of schemas.documents.Named
LISTED = 1000  # of each kind, in a result: whoever has more reads the folder
FINDINGS = "findings.json"
KNOWN_TYPES = frozenset(MEDIA_TYPES.values())

T = TypeVar("T")


class _Told(io.FileIO):
    """A file that says whenever it is read on: the worker takes a silent run for a stalled one."""

    def __init__(self, path: str, tell: Callable[[], None]) -> None:
        super().__init__(path, "rb")
        self._tell = tell

    def read(self, size: int | None = -1) -> bytes:
        self._tell()
        return super().read(size) or b""


def free_document_id(blobs: Blobs, scope: str, place: str) -> str:
    """The id of the document found at `place`: the same in every run, and a new one after it was removed.

    Raises BlobStoreError.
    """
    for generation in count():
        document_id = found_document_id(scope, place if generation == 0 else f"{place}\0{generation}")
        if not is_removed(blobs, document_id):
            return document_id
    raise AssertionError("counting does not end")


def is_removed(blobs: Blobs, document_id: str) -> bool:
    """Whether the document was removed, which nothing brings back. Raises BlobStoreError."""
    try:
        blobs.size(documents.removal_of(document_id))
    except BlobMissingError:
        return False
    return True


def store_content(
    document_id: str, source: Source, media_type: str, workspace: Workspace, tell: Callable[[], None]
) -> Claim:
    """Copies an open file into the blob store, in pieces.

    Raises ProcessingError PROCESSING_ERROR when the file is written to meanwhile; OSError, BlobStoreError.
    """
    digest = source.sha256()
    uri = f"{documents.folder_of(document_id)}/{digest}"
    with _Told(source.path, tell) as file:
        claim = workspace.blobs.put_file(uri, file, media_type)
    if claim.sha256 != digest:
        workspace.blobs.delete([uri])
        raise ProcessingError(
            ErrorCode.PROCESSING_ERROR, "The file was written to while it was read.", error_type="FileChanged"
        )
    return claim


def keep_findings(workspace: Workspace, findings: Findings) -> Claim | None:
    """Hands what was found to the worker; None when that is nothing. Raises BlobStoreError."""
    if not findings.found and not findings.lost:
        return None
    return workspace.keep_claim(FINDINGS, findings.model_dump_json().encode(), "application/json")


def own_name(name: str) -> str:
    """A file's own name, short enough for a document's; its end tells the type."""
    return name[-NAME_CHARS:]


def named_failure(error: ProcessingError | OSError, **about: Any) -> dict[str, Any]:
    """A file that was not taken in, by code and sentence."""
    if isinstance(error, ProcessingError):
        return {**about, "code": error.code, "message": error.message}
    return {**about, "code": ErrorCode.FILE_NOT_FOUND, "message": "The worker cannot read the file."}


def shortened(items: Sequence[T]) -> list[T]:
    """The first of a list that may be very long."""
    return list(items[:LISTED])
