"""What clients ask of documents and folders: ids, bodies and query strings, validated. Pure (contract 2b and 15b)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.datastructures import QueryParams

from schemas.documents import Named
from schemas.job_types.values import Said
from services.api.http.errors import invalid_field, invalid_request, not_found
from services.api.http.fields import check_names, invalid_values, seconds, whole_number

M = TypeVar("M", bound=BaseModel)

MAX_FILES: Final = 5000
MAX_QUERY_CHARS: Final = 2000
MAX_PAGE: Final = 1000
MAX_OFFSET: Final = 2**31 - 1
MAX_WAIT_S: Final = 300.0
_UUID: Final = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_DOCUMENT_ID: Final = re.compile(f"doc-{_UUID}")
_FOLDER_ID: Final = re.compile(f"folder-{_UUID}")

Description = Annotated[str, StringConstraints(max_length=4096)]
ChunkSize = Annotated[int, Field(ge=50, le=8000)]
Name = Annotated[Named, Said]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class FolderBody(_Body):
    """The body of POST /v1/folders."""

    name: Name
    description: Description | None = None
    chunk_size: ChunkSize = Field(default=500, alias="chunkSize", description="characters of a chunk")


class FolderChange(_Body):
    """The body of PUT /v1/folders/{id}; what is absent stays, and a description that is null is taken away."""

    name: Name | None = None
    description: Description | None = None
    chunk_size: ChunkSize | None = Field(default=None, alias="chunkSize")


class FilesBody(_Body):
    """The body of POST /v1/folders/{id}/files."""

    file_ids: Annotated[list[str], Field(min_length=1, max_length=MAX_FILES)] = Field(alias="filesIds")


@dataclass(frozen=True, slots=True)
class AskedSearch:
    """What a search asks for."""

    query: str
    limit: int


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


def parsed(model: type[M], body: Mapping[str, Any]) -> M:
    """A body as what it must be. Raises ApiError INVALID_PARAMETERS (400), whose details name the fields."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise invalid_values(error, "body") from error


def file_ids_of(body: FilesBody) -> list[str]:
    """The documents in a body, each once. Raises ApiError NOT_FOUND (404) for what can be none."""
    ids = list(dict.fromkeys(body.file_ids))
    if missing := [one for one in ids if not _DOCUMENT_ID.fullmatch(one)]:
        raise not_found("document", missing=[one[:100] for one in missing[:100]])
    return ids


def asked_search(query: QueryParams) -> AskedSearch:
    """What the query string of a search says. Raises ApiError: INVALID_REQUEST, INVALID_PARAMETERS (400)."""
    check_names(query, {"q", "limit"})
    text = query.get("q", "").strip()
    if not text or len(text) > MAX_QUERY_CHARS or "\x00" in text:
        raise invalid_field("q", f"must be a text of 1 to {MAX_QUERY_CHARS:,} characters: what to look for")
    limit = whole_number(query, "limit", 10, 100)
    if limit == 0:
        raise invalid_field("limit", "must be a whole number from 1 to 100")
    return AskedSearch(text, limit)


def asked_page(query: QueryParams) -> tuple[int, int]:
    """Limit and offset of a list. Raises as `asked_search`."""
    check_names(query, {"limit", "offset"})
    return whole_number(query, "limit", MAX_PAGE, MAX_PAGE), whole_number(query, "offset", 0, MAX_OFFSET)


def asked_wait(query: QueryParams) -> float | None:
    """How many seconds to wait for the end of the reading; None: as long as the settings say."""
    check_names(query, {"wait"})
    return seconds(query, "wait", MAX_WAIT_S)


def asked_folder(texts: Mapping[str, str]) -> str | None:
    """The folder that an upload's form names. Raises ApiError: INVALID_REQUEST (400), NOT_FOUND (404)."""
    if unknown := sorted(texts.keys() - {"folderId"}):
        raise invalid_request(f"not supported here: {', '.join(unknown)[:200]}", supported=["file", "folderId"])
    folder_id = texts.get("folderId")
    return folder_id_of(folder_id) if folder_id else None
