"""Documents and folders, and the search by meaning."""

from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import uuid4

from piperoll.client.errors import WaitTimeoutError
from piperoll.client.exchange import answered, delete, given, part, query_of, read, viewed
from piperoll.client.sources import Sent, Source, part_of
from piperoll.client.views.documents import DocumentView, FolderView, HitView, ListedDocumentView, RetryView
from piperoll.client.wire import ApiRequest, Emit, Pause, Script, Series, now

V = TypeVar("V", FolderView, ListedDocumentView)

PAGE = 1000
POLL_S = 1.0


def add_document(
    source: Source,
    *,
    name: str | None = None,
    folder_id: str | None = None,
    include_images: bool = False,
    wait: float | None = 0,
    idempotency_key: str | None = None,
    sent: Sent | None = None,
) -> Script[DocumentView]:
    """Upload a document, which a job then reads.

    `wait` is how many seconds the API waits for its text; None for as long as it allows, and then an unreadable
    document is InvalidRequestError `EXTRACTION_FAILED`. With `include_images` the pages of a PDF are also drawn.
    """
    form = {"folderId": folder_id} if folder_id else {}
    if include_images:
        form["includeImages"] = "true"
    file = part_of(source, name, form, sent)
    headers = {"Idempotency-Key": idempotency_key or str(uuid4())}
    query = query_of({"wait": wait})
    request = ApiRequest("POST", "/v1/documents", query, headers=headers, file=file, wait_s=wait or 300.0)
    return viewed(DocumentView, (yield from answered(request)))


def get_document(document_id: str) -> Script[DocumentView]:
    """Return a document, with its text once it was read."""
    return viewed(DocumentView, (yield from answered(read(f"/v1/documents/{part(document_id)}"))))


def wait_for_document(document_id: str, *, timeout: float | None = None) -> Script[DocumentView]:
    """Return the document when it was read, or cannot be. Raises WaitTimeoutError."""
    began = yield from now()
    while True:
        status = yield from answered(read(f"/v1/documents/{part(document_id)}/status"))
        if status in ("DONE", "ERROR"):
            return (yield from get_document(document_id))
        if timeout is not None and (yield from now()) + POLL_S > began + timeout:
            raise WaitTimeoutError(f"{document_id} was not read within {timeout:g} s: it is {status}")
        yield Pause(POLL_S)


def list_documents() -> Series[ListedDocumentView]:
    """Iterate over the documents, the newest first, without their texts."""
    yield from _pages("/v1/documents", ListedDocumentView)


def delete_document(document_id: str) -> Script[None]:
    """Remove a document, its content and everything derived from it."""
    yield from answered(delete(f"/v1/documents/{part(document_id)}"))


def reextract(document_id: str, *, include_images: bool = False) -> Script[RetryView]:
    """Read a document again, whatever the cache has. Raises ConflictError while a job reads it.

    With `include_images` the pages of a PDF are also drawn.
    """
    query = query_of({"includeImages": include_images or None})
    request = ApiRequest("POST", f"/v1/documents/{part(document_id)}/reextract", query, repeatable=False)
    return viewed(RetryView, (yield from answered(request)))


def create_folder(name: str, *, description: str | None = None, chunk_size: int | None = None) -> Script[FolderView]:
    """Create a folder. Its POST has no Idempotency-Key, so it is not repeated after a lost answer."""
    body = given(name=name, description=description, chunkSize=chunk_size)
    return viewed(FolderView, (yield from answered(ApiRequest("POST", "/v1/folders", body=body, repeatable=False))))


def get_folder(folder_id: str) -> Script[FolderView]:
    """Return a folder."""
    return viewed(FolderView, (yield from answered(read(f"/v1/folders/{part(folder_id)}"))))


def list_folders() -> Series[FolderView]:
    """Iterate over the folders, the newest first."""
    yield from _pages("/v1/folders", FolderView)


def change_folder(
    folder_id: str, *, name: str | None = None, description: str | None = None, chunk_size: int | None = None
) -> Script[FolderView]:
    """Change a folder; another `chunk_size` indexes it again."""
    body = given(name=name, description=description, chunkSize=chunk_size)
    return viewed(FolderView, (yield from answered(ApiRequest("PUT", f"/v1/folders/{part(folder_id)}", body=body))))


def delete_folder(folder_id: str) -> Script[None]:
    """Remove a folder and its index; its documents stay."""
    yield from answered(delete(f"/v1/folders/{part(folder_id)}"))


def list_files(folder_id: str) -> Series[ListedDocumentView]:
    """Iterate over the documents of a folder."""
    yield from _pages(f"/v1/folders/{part(folder_id)}/files", ListedDocumentView)


def add_files(folder_id: str, document_ids: Iterable[str]) -> Script[None]:
    """Put documents into a folder; those that are in it already stay."""
    body = {"filesIds": list(document_ids)}
    yield from answered(ApiRequest("POST", f"/v1/folders/{part(folder_id)}/files", body=body))


def take_out(folder_id: str, document_id: str) -> Script[None]:
    """Take a document out of a folder; the document stays."""
    yield from answered(delete(f"/v1/folders/{part(folder_id)}/files/{part(document_id)}"))


def reindex(folder_id: str) -> Script[RetryView]:
    """Index a folder's texts again. Raises ConflictError while such a job runs."""
    request = ApiRequest("POST", f"/v1/folders/{part(folder_id)}/reindex", repeatable=False)
    return viewed(RetryView, (yield from answered(request)))


def search(folder_id: str, text: str, *, limit: int = 10) -> Script[list[HitView]]:
    """Return the chunks of a folder nearest to a text, the best first. Raises ConflictError without an index."""
    data = yield from answered(read(f"/v1/folders/{part(folder_id)}/search", q=text, limit=limit))
    return [viewed(HitView, one) for one in data]


def _pages(path: str, kind: type[V]) -> Series[V]:
    offset = 0
    seen: set[str] = set()
    while True:
        data: list[Any] = yield from answered(read(path, limit=PAGE, offset=offset))
        for one in data:
            view = viewed(kind, one.get("value", one))
            if view.id not in seen:
                seen.add(view.id)
                yield Emit(view)
        if len(data) < PAGE:
            return
        offset += len(data)
