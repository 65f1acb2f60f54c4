"""What embedding jobs leave in the blob store, without a model."""

from collections.abc import Mapping, Sequence

from piperoll.store.blobs import Blobs
from piperoll.store.document_paths import index_mark, index_part
from schemas.claims import Claim
from schemas.documents import FolderIndex, IndexedChunk, IndexedDocument, IndexPart

Chunks = Sequence[tuple[str, Sequence[float]]]


def put_index(
    blobs: Blobs, job_id: str, run: str, folder_id: str, model: str, dimensions: int, documents: Mapping[str, Chunks]
) -> Claim:
    """Stores an index: of each document the texts and vectors of its chunks."""
    parts = tuple(put_part(blobs, job_id, run, document_id, chunks) for document_id, chunks in documents.items())
    index = FolderIndex(folder_id=folder_id, model=model, dimensions=dimensions, parts=parts)
    return blobs.put(f"{job_id}/{run}", index.model_dump_json().encode())


def put_part(blobs: Blobs, job_id: str, run: str, document_id: str, chunks: Chunks) -> IndexPart:
    """Stores the chunks of a document, with their mark."""
    numbered = [
        IndexedChunk(number=number, text=text, vector=tuple(vector)) for number, (text, vector) in enumerate(chunks)
    ]
    document = IndexedDocument(document_id=document_id, chunks=tuple(numbered))
    blobs.put_named(index_mark(job_id, run, document_id), b"", "application/octet-stream")
    content = blobs.put_named(
        index_part(job_id, run, document_id), document.model_dump_json().encode(), "application/json"
    )
    return IndexPart(document_id=document_id, chunks=len(chunks), content=content)


def chunks_of(blobs: Blobs, index: FolderIndex) -> list[tuple[str, IndexedChunk]]:
    """Every chunk with its document's id, in the order of the index."""
    documents = [IndexedDocument.model_validate_json(blobs.get(part.content.uri)) for part in index.parts]
    return [(document.document_id, chunk) for document in documents for chunk in document.chunks]
