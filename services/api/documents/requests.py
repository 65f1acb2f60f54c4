"""What clients ask of documents and folders: ids, bodies and query strings, validated. Pure (contract 2b and 15b)."""

import re
from typing import Annotated, Final

from pydantic import Field, StringConstraints, WithJsonSchema

from schemas.documents import Named
from schemas.job_types.values import Said
from services.api.http.errors import not_found
from services.api.http.shapes import (
    NO_NUL,
    FieldsModel,
    QueryModel,
    Refusal,
    RequestModel,
)

_UUID: Final = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_DOCUMENT_ID: Final = re.compile(f"doc-{_UUID}")
_FOLDER_ID: Final = re.compile(f"folder-{_UUID}")

Description = Annotated[str, StringConstraints(max_length=4096)]
ChunkSize = Annotated[int, Field(ge=50, le=8000)]
Name = Annotated[Named, Said]


class FolderBody(FieldsModel):
    """The body of POST /v1/folders."""

    name: Name
    description: Description | None = None
    chunk_size: ChunkSize = Field(default=500, alias="chunkSize", description="characters of a chunk")


class FolderChange(FieldsModel):
    """The body of PUT /v1/folders/{id}; what is absent stays, and a description that is null is taken away."""

    name: Name | None = None
    description: Description | None = None
    chunk_size: ChunkSize | None = Field(default=None, alias="chunkSize")


class FilesBody(FieldsModel):
    """The body of POST /v1/folders/{id}/files."""

    file_ids: Annotated[list[str], Field(min_length=1, max_length=5000)] = Field(alias="filesIds")


class DocumentPageQuery(QueryModel):
    """Lists of documents, of folders, and of a folder's documents."""

    limit: int = Field(default=1000, ge=0, le=1000, description="How many at most")
    offset: int = Field(default=0, ge=0, le=2**31 - 1, description="How many to leave out")


class AddDocumentQuery(QueryModel):
    """POST /v1/documents. Without `wait` the answer waits as long as the settings say."""

    wait: Annotated[float, Field(ge=0, le=300)] | None = Field(
        default=None, description="Seconds to wait for the document to be read; then the answer is 202 instead of 408"
    )


class SearchQuery(QueryModel):
    """GET /v1/folders/{id}/search."""

    q: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=NO_NUL),
        Refusal("must be a text of {minLength} to {maxLength:,} characters: what to look for"),
    ] = Field(description="What to look for")
    limit: int = Field(default=10, ge=1, le=100, description="How many at most")


class DocumentForm(RequestModel):
    """The form of POST /v1/documents."""

    file: Annotated[object, WithJsonSchema({"type": "string", "format": "binary"})]
    folder_id: str = Field(default="", alias="folderId", description="a folder that the document goes into")


def document_id_of(text: str) -> str:
    """The id in a path. Raises ApiError NOT_FOUND (404) for what can be none."""
    if not _DOCUMENT_ID.fullmatch(text):
        raise not_found("document")
    return text


def folder_id_of(text: str) -> str:
    """The id in a path. Raises as `document_id_of`."""
    if not _FOLDER_ID.fullmatch(text):
        raise not_found("folder")
    return text


def file_ids_of(body: FilesBody) -> list[str]:
    """The documents in a body, each once. Raises ApiError NOT_FOUND (404) for what can be none."""
    ids = list(dict.fromkeys(body.file_ids))
    if missing := [one for one in ids if not _DOCUMENT_ID.fullmatch(one)]:
        raise not_found("document", missing=[one[:100] for one in missing[:100]])
    return ids
