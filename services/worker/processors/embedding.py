"""The `embedding` job (docs/contract/devana.md#job-types): chunks with vectors of a folder's documents, for the search.

Each document's chunks are a separate blob, deleted with the document. It is written in batches, so memory is bounded by
one document's text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, cast

from pydantic_core import from_json, to_json

from piperoll.embeddings import Embedder, chunks
from piperoll.store.blobs import BlobMissingError
from piperoll.store.document_paths import index_mark, index_part, is_removed
from schemas.documents import FolderIndex, IndexedChunk, IndexPart, ResolvedFolder, ResolvedText
from schemas.errors import ErrorCode
from schemas.job_types.embedding import EmbeddingParameters
from schemas.job_types.parameters import JobParameters
from services.worker.errors import ProcessingError
from services.worker.run import memory
from services.worker.run.workspace import ReportProgress, Result, Workspace

INDEX = "index.json"
BATCH = 32  # chunks between two reports: about a second of the local model
DIGITS = 6  # of a vector's numbers: the precision of four bytes, in half the size
BEGUN, DONE = 5, 90  # percent at the begin and end of embedding
NAMED = 20  # maximum number of documents in a note


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Run the job. Raises ProcessingError: EMBEDDING_UNAVAILABLE, and the provider's errors; BlobStoreError."""
    params = cast(EmbeddingParameters, parameters)
    report("initializing", 0)
    folder = workspace.resolved
    if not isinstance(folder, ResolvedFolder):
        raise ProcessingError(ErrorCode.PROCESSING_ERROR, f"The folder {params.folder_id} does not exist.")
    size = params.chunk_size or folder.chunk_size
    embedder = workspace.providers.embedder(params.model)
    work = _Embedding(folder, embedder, size, workspace, report)
    try:
        work.run()
    finally:
        memory.give_back()
    report("finalizing", 95)
    index = FolderIndex(
        folder_id=folder.folder_id,
        model=embedder.model,
        dimensions=embedder.dimensions,
        parts=tuple(part for document in work.done if (part := document.part) is not None),
    )
    counts = work.counts()
    return Result(
        structured_data={
            **index.model_dump(exclude={"parts"}),
            **counts,
            "documents": [document.entry() for document in work.done],
        },
        notes=tuple(work.notes()),
        bytes_in=sum(document.bytes_in for document in work.done),
        method=embedder.model,
        counts=counts,
        index=workspace.keep_claim(INDEX, index.model_dump_json().encode(), "application/json"),
    )


@dataclass(frozen=True, slots=True)
class _Embedded:
    """An embedded document; without a part it has no text."""

    document_id: str
    name: str
    bytes_in: int
    part: IndexPart | None

    def entry(self) -> dict[str, Any]:
        """Return the document's entry in the job's result."""
        chunks_made = self.part.chunks if self.part else 0
        return {"document_id": self.document_id, "name": self.name, "chunks": chunks_made}


@dataclass(slots=True)
class _Embedding:
    """One run over a folder: the embedded documents, and the names of documents whose text was erased."""

    folder: ResolvedFolder
    embedder: Embedder
    size: int
    workspace: Workspace
    report: ReportProgress
    done: list[_Embedded] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Embed all documents. Raises as `process`."""
        for position, document in enumerate(self.folder.documents):
            done = self._embed(position, document)
            if done is None:
                self.erased.append(document.name)
            else:
                self.done.append(done)

    def counts(self) -> dict[str, int]:
        """Return the counts of docs/contract/devana.md#metadata."""
        return {
            "filesProcessed": len(self.done),
            "filesPending": self.folder.pending,
            "totalChunks": sum(document.part.chunks for document in self.done if document.part),
            "chunkSize": self.size,
        }

    def notes(self) -> Iterator[str]:
        """Yield notes for the job's log."""
        if self.erased:
            yield f"Skipped, since their text was erased: {_named(self.erased)}."
        if empty := [document.name for document in self.done if document.part is None]:
            yield f"Without text: {_named(empty)}."

    def _embed(self, position: int, document: ResolvedText) -> _Embedded | None:
        """Embed a document; None when its text was erased or the document is removed meanwhile."""
        text = _text(document, self.workspace)
        if text is None:
            return None
        pieces = chunks(text, self.size)
        part = None
        if pieces:
            path = self.workspace.folder / "part"
            self._write(path, position, document.document_id, pieces)
            part = _keep(document.document_id, path, len(pieces), self.workspace)
            if part is None:
                return None
        return _Embedded(document.document_id, document.name, len(text.encode("utf-8", "replace")), part)

    def _write(self, path: Path, position: int, document_id: str, pieces: list[str]) -> None:
        """Write a `schemas.documents.IndexedDocument` as JSON, in batches of chunks."""
        with path.open("wb") as file:
            file.write(b'{"document_id":%b,"chunks":[' % to_json(document_id))
            for first, batch in _batches(pieces):
                share = (position + first / len(pieces)) / len(self.folder.documents)
                self.report("embedding", BEGUN + round((DONE - BEGUN) * share))
                vectors = self.embedder.embed(batch)
                for number, (text, vector) in enumerate(zip(batch, vectors, strict=True), first):
                    rounded = tuple(round(one, DIGITS) for one in vector)
                    chunk = IndexedChunk(number=number, text=text, vector=rounded)
                    file.write((b"," if number else b"") + chunk.model_dump_json().encode())
            file.write(b"]}")


def _batches(pieces: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield the pieces in batches, each with the number of its first piece."""
    rest = iter(pieces)
    first = 0
    while batch := list(islice(rest, BATCH)):
        yield first, batch
        first += len(batch)


def _text(document: ResolvedText, workspace: Workspace) -> str | None:
    """Return the document's extracted text; None when it was erased. Raises BlobStoreError."""
    try:
        result = from_json(workspace.blobs.get(document.text.uri))
    except BlobMissingError:
        return None
    text: str = result["structured_data"].get("extracted_text") or ""
    return text


def _keep(document_id: str, path: Path, count: int, workspace: Workspace) -> IndexPart | None:
    """Store a part with its marker; None, with nothing stored, when the document was removed meanwhile.

    See `piperoll.store.document_paths` for the order of the writes.
    """
    blobs = workspace.blobs
    uri = index_part(workspace.job_id, workspace.run, document_id)
    mark = index_mark(workspace.job_id, workspace.run, document_id)
    blobs.put_named(mark, b"", "application/octet-stream")
    with path.open("rb") as file:
        content = blobs.put_file(uri, file, "application/json")
    if not is_removed(blobs, document_id):
        return IndexPart(document_id=document_id, chunks=count, content=content)
    blobs.delete([uri, mark])
    return None


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
