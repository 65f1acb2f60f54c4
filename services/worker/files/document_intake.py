"""Store a found file as a document's content and collect the findings of a run.

The document is created by the facts that the worker appends after the run (`services.worker.manager.found_documents`).
"""

import io
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, TypeVar

from piperoll.store import document_paths as documents
from piperoll.store.blobs import Blobs
from schemas.claims import Claim
from schemas.documents import NAME_CHARS, Findings
from schemas.errors import ErrorCode
from schemas.ids import found_document_id
from schemas.media import MEDIA_TYPES
from services.worker.errors import ProcessingError
from services.worker.files.sources import Source
from services.worker.run.workspace import Workspace

LISTED = 1000  # maximum of each list in a result
FINDINGS = "findings.json"
KNOWN_TYPES = frozenset(MEDIA_TYPES.values())

T = TypeVar("T")


class _HeartbeatFile(io.FileIO):
    """A file whose reads send a heartbeat, without which the worker ends a run as stalled."""

    def __init__(self, path: str, beat: Callable[[], None]) -> None:
        super().__init__(path, "rb")
        self._beat = beat

    def read(self, size: int | None = -1) -> bytes:
        self._beat()
        return super().read(size) or b""


def free_document_id(blobs: Blobs, scope: str, place: str) -> str:
    """Return the id of the document at `place`, the same in every run until it is removed. Raises BlobStoreError."""
    for generation in count():
        document_id = found_document_id(scope, place if generation == 0 else f"{place}\0{generation}")
        if not documents.is_removed(blobs, document_id):
            return document_id
    raise AssertionError("unreachable")


def store_content(
    document_id: str, source: Source, media_type: str, workspace: Workspace, beat: Callable[[], None]
) -> Claim:
    """Copy an open file into the blob store, in pieces. Nothing stays of a document that was removed meanwhile.

    Raises ProcessingError PROCESSING_ERROR when the file changes during the copy; OSError, BlobStoreError.
    """
    digest = source.sha256()
    uri = f"{documents.folder_of(document_id)}/{digest}"
    try:
        with _HeartbeatFile(source.path, beat) as file:
            claim = workspace.blobs.put_file(uri, file, media_type)
    except PermissionError as error:  # the broker stores no content under the name of another one
        raise _changed() from error
    if claim.sha256 != digest:
        workspace.blobs.delete([uri])
        raise _changed()
    if documents.is_removed(workspace.blobs, document_id):
        workspace.blobs.delete([uri])  # the facts of it have no effect
    return claim


def _changed() -> ProcessingError:
    return ProcessingError(
        ErrorCode.PROCESSING_ERROR, "The file was changed while it was read.", error_type="FileChanged"
    )


def store_findings(workspace: Workspace, findings: Findings) -> Claim | None:
    """Store the findings for the worker; None when there are none. Raises BlobStoreError."""
    if not findings.found and not findings.lost:
        return None
    return workspace.keep_claim(FINDINGS, findings.model_dump_json().encode(), "application/json")


def document_name(name: str) -> str:
    """Return the file's name, cut at its beginning to NAME_CHARS, so that the extension stays."""
    return name[-NAME_CHARS:]


def failure_entry(error: ProcessingError | OSError, **about: Any) -> dict[str, Any]:
    """Return the entry of a failed file in the result: `about`, code and message."""
    if isinstance(error, ProcessingError):
        return {**about, "code": error.code, "message": error.message}
    return {**about, "code": ErrorCode.FILE_NOT_FOUND, "message": "The worker cannot read the file."}


def shortened(items: Sequence[T]) -> list[T]:
    """Return the first LISTED items."""
    return list(items[:LISTED])
