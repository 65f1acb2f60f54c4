"""What clients ask of documents: ids, forms and query strings, validated. Pure (contract 2b and 15b)."""

import re
from typing import Annotated, Final

from pydantic import Field, WithJsonSchema

from services.api.http.errors import not_found
from services.api.http.shapes import QueryModel, RequestModel

_UUID: Final = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_DOCUMENT_ID: Final = re.compile(f"doc-{_UUID}")
_FOLDER_ID: Final = re.compile(f"folder-{_UUID}")


class DocumentPageQuery(QueryModel):
    """Lists of documents, of folders, and of a folder's documents."""

    limit: int = Field(default=1000, ge=0, le=1000, description="How many at most")
    offset: int = Field(default=0, ge=0, le=2**31 - 1, description="How many to leave out")


class AddDocumentQuery(QueryModel):
    """POST /v1/documents. Without `wait` the answer waits as long as the settings say."""

    wait: Annotated[float, Field(ge=0, le=300)] | None = Field(
        default=None, description="Seconds to wait for the document to be read; then the answer is 202 instead of 408"
    )


class DocumentForm(RequestModel):
    """The form of POST /v1/documents."""

    file: Annotated[object, WithJsonSchema({"type": "string", "format": "binary"})]
    folder_id: str = Field(default="", alias="folderId", description="a folder that the document goes into")


def is_document_id(text: str) -> bool:
    """Whether a text can be the id of a document."""
    return _DOCUMENT_ID.fullmatch(text) is not None


def document_id_of(text: str) -> str:
    """The id in a path. Raises ApiError NOT_FOUND (404) for what can be none."""
    if not is_document_id(text):
        raise not_found("document")
    return text


def folder_id_of(text: str) -> str:
    """The id in a path. Raises as `document_id_of`."""
    if not _FOLDER_ID.fullmatch(text):
        raise not_found("folder")
    return text
