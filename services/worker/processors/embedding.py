"""The `embedding` job (contract 15d): the texts of a folder's documents become chunks with vectors, for the search.

The index goes to disk chunk by chunk, so a folder of any size takes the memory of one document.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Self, TextIO, cast

from pydantic_core import from_json, to_json

from piperoll.blobs import BlobMissingError
from piperoll.embeddings import Embedder, chunks
from schemas.documents import IndexedChunk, ResolvedFolder, ResolvedText
from schemas.errors import ErrorCode
from schemas.parameters import JobParameters
from schemas.parameters.embedding import EmbeddingParameters
from services.worker.processors import memory
from services.worker.processors.contract import ProcessingError, Report, Result, Workspace

INDEX = "index.json"
BATCH = 32  # chunks between two reports: a second's work of the local model
DIGITS = 6  # of a vector's numbers: more than its four bytes in the table tell apart, and half the size
BEGUN, DONE = 5, 90  # percent at which embedding begins and ends
NAMED = 20  # documents that a note names


def process(parameters: JobParameters, workspace: Workspace, report: Report) -> Result:
    """Embeds. Raises ProcessingError: EMBEDDING_UNAVAILABLE, what the provider fails with; BlobStoreError."""
    asked = cast(EmbeddingParameters, parameters)
    report("initializing", 0)
    folder = workspace.resolved
    if not isinstance(folder, ResolvedFolder):
        raise ProcessingError(ErrorCode.PROCESSING_ERROR, f"There is no folder {asked.folder_id}.")
    size = asked.chunk_size or folder.chunk_size
    embedder = workspace.providers.embedder(asked.model)
    path = workspace.folder / INDEX
    try:
        with path.open("w", encoding="utf-8") as file, Index(file, folder.folder_id, embedder) as index:
            account = _embed(folder.documents, index, size, workspace, report)
    finally:
        memory.give_back()
    report("finalizing", 95)
    claim = workspace.keep_file_claim(INDEX, path, "application/json")
    counts = account.counts(folder.pending, size)
    about = {"folder_id": folder.folder_id, "model": embedder.model, "dimensions": embedder.dimensions}
    return Result(
        structured_data={**about, **counts, "documents": account.documents},
        notes=tuple(account.notes()),
        bytes_in=account.bytes_in,
        method=embedder.model,
        counts=counts,
        index=claim,
    )


class Index:
    """Writes a `schemas.documents.FolderIndex` as JSON, piece by piece; a context manager around its ends."""

    def __init__(self, file: TextIO, folder_id: str, embedder: Embedder) -> None:
        self._file = file
        self._embedder = embedder
        self._head = {"folder_id": folder_id, "model": embedder.model, "dimensions": embedder.dimensions}
        self._between = ""

    def __enter__(self) -> Self:
        self._file.write(f'{to_json(self._head).decode().removesuffix("}")},"chunks":[')
        return self

    def __exit__(self, *_: object) -> None:
        self._file.write("]}")

    def add(self, document_id: str, first: int, texts: Sequence[str]) -> None:
        """Appends chunks of a document, numbered from `first`."""
        for number, (text, vector) in enumerate(zip(texts, self._embedder.embed(texts), strict=True), first):
            rounded = tuple(round(part, DIGITS) for part in vector)
            chunk = IndexedChunk(document_id=document_id, number=number, text=text, vector=rounded)
            self._file.write(self._between + chunk.model_dump_json())
            self._between = ","


@dataclass(slots=True)
class _Account:
    """What was done: the documents with their chunks, and the names of those whose text is gone."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    bytes_in: int = 0

    def counts(self, pending: int, size: int) -> dict[str, int]:
        """The numbers of contract 15a."""
        return {
            "filesProcessed": len(self.documents),
            "filesPending": pending,
            "totalChunks": sum(document["chunks"] for document in self.documents),
            "chunkSize": size,
        }

    def notes(self) -> Iterator[str]:
        """Sentences for the job's log."""
        if self.gone:
            more = f" and {len(self.gone) - NAMED} more" if len(self.gone) > NAMED else ""
            yield f"Left out, since their text was erased: {', '.join(self.gone[:NAMED])}{more}."
        empty = [document["name"] for document in self.documents if not document["chunks"]]
        if empty:
            more = f" and {len(empty) - NAMED} more" if len(empty) > NAMED else ""
            yield f"Without any text: {', '.join(empty[:NAMED])}{more}."


def _embed(
    documents: Sequence[ResolvedText], index: Index, size: int, workspace: Workspace, report: Report
) -> _Account:
    account = _Account()
    for position, document in enumerate(documents):
        text = _text(document, workspace)
        if text is None:
            account.gone.append(document.name)
            continue
        pieces = chunks(text, size)
        for first, batch in _batches(pieces):
            share = (position + first / len(pieces)) / len(documents)
            report("embedding", BEGUN + round((DONE - BEGUN) * share))
            index.add(document.document_id, first, batch)
        account.bytes_in += len(text.encode("utf-8", "replace"))
        account.documents.append({"document_id": document.document_id, "name": document.name, "chunks": len(pieces)})
    return account


def _batches(pieces: list[str]) -> Iterator[tuple[int, list[str]]]:
    """The pieces in batches, each with the number of its first."""
    rest = iter(pieces)
    first = 0
    while batch := list(islice(rest, BATCH)):
        yield first, batch
        first += len(batch)


def _text(document: ResolvedText, workspace: Workspace) -> str | None:
    """The text that the document's job extracted; None when it was erased. Raises BlobStoreError."""
    try:
        result = from_json(workspace.blobs.get(document.text.uri))
    except BlobMissingError:
        return None
    text: str = result["structured_data"].get("extracted_text") or ""
    return text
