"""The documents that claims of the document and endpoint events lead to, and what jobs are told of them.

Names, places and addresses are content, so they stand in blobs and not in the log (docs/architecture.md#five-ideas).
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.claims import Claim

Named = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class DocumentDetails(_Document):
    """What DocumentAdded's `details` lead to."""

    name: Named = Field(description="the file's own name, such as report.docx")
    source: str | None = Field(default=None, description="where a job found it: its place or url")


class FolderDetails(_Document):
    """What FolderCreated's `details` lead to."""

    name: Named
    description: str | None = None


class EndpointSettings(_Document):
    """What EndpointRegistered's `settings` lead to. Token and secret are sealed (`piperoll.seal`)."""

    url: str
    token: str | None = None
    secret: str


# --- `resolved` in a job's parameters document: what the API knew of documents when the job was created ------------


class ResolvedDocument(_Document):
    """The document that `document_id` of an extraction, transcription or generation names."""

    kind: Literal["document"] = "document"
    document_id: str
    name: str
    content: Claim
    text: Claim | None = Field(default=None, description="the result document of its newest completed extraction")


class ResolvedText(_Document):
    """One document of a folder that is to be indexed; `text` is the result document of its newest extraction."""

    document_id: str
    name: str
    text: Claim


class ResolvedFolder(_Document):
    """The folder of an embedding job. `pending` counts documents whose text is not there yet."""

    kind: Literal["folder"] = "folder"
    folder_id: str
    name: str
    chunk_size: int
    documents: tuple[ResolvedText, ...] = ()
    pending: int = 0


class KnownDocument(_Document):
    """A document that an earlier synchronisation found: where, and as which revision. `jobs` made its texts."""

    document_id: str
    source: str
    revision: str
    jobs: tuple[str, ...] = ()


class ResolvedSync(_Document):
    """The folder of a sync job, and what it holds of documents that a job found."""

    kind: Literal["sync"] = "sync"
    folder_id: str
    name: str
    documents: tuple[KnownDocument, ...] = ()


Resolved = Annotated[ResolvedDocument | ResolvedFolder | ResolvedSync, Field(discriminator="kind")]

# --- what a run found: a blob beside its result, which the worker turns into facts before the job's end ------------


class FoundDocument(_Document):
    """A document that the run took in, its content already stored under `documents/{document_id}/`."""

    document_id: str
    name: str
    source: str
    revision: str
    content: Claim


class LostDocument(_Document):
    """A document that the source has no more, and the jobs whose texts of it are to be erased."""

    document_id: str
    jobs: tuple[str, ...] = ()


class Findings(_Document):
    """What a sync or import run changes among documents."""

    folder_id: str | None = None
    found: tuple[FoundDocument, ...] = ()
    lost: tuple[LostDocument, ...] = ()


# --- what an embedding run made: the blob that JobCompleted's `index` leads to, and those that it leads to ----------


class IndexedChunk(_Document):
    """A piece of a document's text and its vector. `number` counts the document's chunks from 0."""

    number: int = Field(ge=0)
    text: str
    vector: tuple[float, ...]


class IndexedDocument(_Document):
    """The chunks of one document: a blob of its own, so that it can go when the document is removed."""

    document_id: str
    chunks: tuple[IndexedChunk, ...]


class IndexPart(_Document):
    """How many chunks a document has, and the IndexedDocument that holds them."""

    document_id: str
    chunks: int = Field(ge=1)
    content: Claim


class FolderIndex(_Document):
    """The documents of a folder that have any text, embedded by one model; the projector loads their chunks."""

    folder_id: str
    model: str
    dimensions: int = Field(ge=1)
    parts: tuple[IndexPart, ...]

    @property
    def chunks(self) -> int:
        """How many chunks all documents have together."""
        return sum(part.chunks for part in self.parts)


def parameters_document(job_type: str, parameters: dict[str, Any], resolved: Resolved | None) -> dict[str, Any]:
    """The document that JobCreated's `parameters` lead to."""
    document: dict[str, Any] = {"job_type": job_type, "parameters": parameters}
    if resolved is not None:
        document["resolved"] = resolved.model_dump(mode="json", exclude_none=True)
    return document
