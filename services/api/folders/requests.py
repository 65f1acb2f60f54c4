"""Validates requests about folders (docs/contract/devana.md#folders, #search). Pure."""

from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.documents import CHUNK_SIZE, ChunkSize
from schemas.fields import NO_NUL, Name
from services.api.documents.requests import is_document_id
from services.api.http.constraints import Refusal
from services.api.http.errors import not_found
from services.api.http.shapes import FieldsModel, QueryModel

Description = Annotated[str, StringConstraints(max_length=4096)]


class FolderBody(FieldsModel):
    """The body of POST /v1/folders."""

    name: Name
    description: Description | None = None
    chunk_size: ChunkSize = Field(default=CHUNK_SIZE, alias="chunkSize", description="characters of a chunk")


class FolderChange(FieldsModel):
    """The body of PUT /v1/folders/{id}; absent values stay, and a description that is null is removed."""

    name: Name | None = None
    description: Description | None = None
    chunk_size: ChunkSize | None = Field(default=None, alias="chunkSize")


class FilesBody(FieldsModel):
    """The body of POST /v1/folders/{id}/files."""

    file_ids: Annotated[list[str], Field(min_length=1, max_length=5000)] = Field(alias="filesIds")


class SearchQuery(QueryModel):
    """GET /v1/folders/{id}/search."""

    q: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=NO_NUL),
        Refusal("must be a text of {minLength} to {maxLength:,} characters: the text to search for"),
    ] = Field(description="The text to search for")
    limit: int = Field(default=10, ge=1, le=100, description="How many at most")


def file_ids_of(body: FilesBody) -> list[str]:
    """Return the ids in a body without repeats. Raises ApiError NOT_FOUND (404) for texts that cannot be ids."""
    ids = list(dict.fromkeys(body.file_ids))
    if missing := [one for one in ids if not is_document_id(one)]:
        raise not_found("document", missing=[one[:100] for one in missing[:100]])
    return ids
