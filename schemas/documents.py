"""The contents of claims in document and endpoint events, and what the API resolves for jobs about documents.

Names, places and addresses are content, so they are in blobs and not in the log (docs/architecture.md#five-ideas).
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.claims import Claim

NAME_CHARS: Final = 500
"""Of the name of a document or a folder, also where a job's parameters give it."""
Named = Annotated[str, StringConstraints(min_length=1, max_length=NAME_CHARS)]
ChunkSize = Annotated[int, Field(ge=50, le=8000)]
CHUNK_SIZE: Final = 500
"""The default number of characters of a chunk in a folder's index."""


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class DocumentDetails(_Content):
    """The content of DocumentAdded's `details`."""

    name: Named = Field(description="the file's name, such as report.docx")
    source: str | None = Field(default=None, description="where a job found it: its place or url")


class FolderDetails(_Content):
    """The content of FolderCreated's `details`."""

    name: Named
    description: str | None = None


class EndpointSettings(_Content):
    """The content of EndpointRegistered's `settings`. Token and secret are sealed (`piperoll.seal`)."""

    url: str
    token: str | None = None
    secret: str


# --- `resolved` in a job's stored parameters: what the API knew of documents when the job was created --------------


class ResolvedDocument(_Content):
    """The document that `document_id` of an extraction, transcription or generation names."""

    kind: Literal["document"] = "document"
    document_id: str
    name: str
    content: Claim
    text: Claim | None = Field(default=None, description="the result of its newest completed extraction")


class ResolvedText(_Content):
    """One document of a folder to index; `text` is the result of its newest extraction."""

    document_id: str
    name: str
    text: Claim


class ResolvedFolder(_Content):
    """The folder of an embedding job. `pending` counts documents whose text does not exist yet."""

    kind: Literal["folder"] = "folder"
    folder_id: str
    name: str
    chunk_size: int
    documents: tuple[ResolvedText, ...] = ()
    pending: int = 0


class KnownDocument(_Content):
    """A document from an earlier synchronisation: its place and revision. `jobs` made its texts."""

    document_id: str
    source: str
    revision: str
    jobs: tuple[str, ...] = ()
    parameters: dict[str, Claim] = Field(default={}, description="of jobs that have them outside their folder, by id")


class ResolvedSync(_Content):
    """The folder of a sync job, and the documents in it that jobs found."""

    kind: Literal["sync"] = "sync"
    folder_id: str
    name: str
    documents: tuple[KnownDocument, ...] = ()


Resolved = Annotated[ResolvedDocument | ResolvedFolder | ResolvedSync, Field(discriminator="kind")]

# --- what a run found: a blob beside its result, which the worker turns into facts before the job's end ------------


class FoundDocument(_Content):
    """A document that the run took in; its content is already stored under `documents/{document_id}/`."""

    document_id: str
    name: str
    source: str
    revision: str
    content: Claim


class LostDocument(_Content):
    """A document that the source no longer has, and the jobs whose texts of it are to be erased."""

    document_id: str
    jobs: tuple[str, ...] = ()
    parameters: dict[str, Claim] = Field(default={}, description="see KnownDocument")


class Findings(_Content):
    """What a sync or import run changes among documents."""

    folder_id: str | None = None
    found: tuple[FoundDocument, ...] = ()
    lost: tuple[LostDocument, ...] = ()


# --- the output of an embedding run: the content of JobCompleted's `index`, and the blobs that it names ------------


class IndexedChunk(_Content):
    """A piece of a document's text and its vector. `number` counts the document's chunks from 0."""

    number: int = Field(ge=0)
    text: str
    vector: tuple[float, ...]


class IndexedDocument(_Content):
    """The chunks of one document: a separate blob, so that it can be deleted with the document."""

    document_id: str
    chunks: tuple[IndexedChunk, ...]


class IndexPart(_Content):
    """The number of chunks of a document, and the claim of their IndexedDocument."""

    document_id: str
    chunks: int = Field(ge=1)
    content: Claim


class FolderIndex(_Content):
    """The documents of a folder that have text, embedded by one model; the projector loads their chunks."""

    folder_id: str
    model: str
    dimensions: int = Field(ge=1)
    parts: tuple[IndexPart, ...]

    @property
    def chunks(self) -> int:
        """The number of chunks of all documents."""
        return sum(part.chunks for part in self.parts)


def parameters_document(job_type: str, parameters: dict[str, Any], resolved: Resolved | None) -> dict[str, Any]:
    """The content of JobCreated's `parameters`."""
    document: dict[str, Any] = {"job_type": job_type, "parameters": parameters}
    if resolved is not None:
        document["resolved"] = resolved.model_dump(mode="json", exclude_none=True)
    return document
