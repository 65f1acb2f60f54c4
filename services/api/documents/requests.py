"""Validates ids, forms and query strings about documents (docs/contract/devana.md#documents). Pure."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from schemas.ids import is_id
from services.api.http.constraints import MAX_INTEGER
from services.api.http.errors import not_found
from services.api.http.shapes import QueryModel, RequestModel


class DocumentPageQuery(QueryModel):
    """Lists of documents, of folders, and of a folder's documents."""

    limit: int = Field(default=1000, ge=0, le=1000, description="How many at most")
    offset: int = Field(default=0, ge=0, le=MAX_INTEGER, description="How many to leave out")


class ReextractQuery(QueryModel):
    """POST /v1/documents/{document_id}/reextract. Other names are ignored, as they were before it took any."""

    model_config = ConfigDict(extra="ignore")

    include_images: bool = Field(default=False, alias="includeImages", description="Also draw each page of a PDF")


class AddDocumentQuery(QueryModel):
    """POST /v1/documents. The default of `wait` is a setting."""

    wait: Annotated[float, Field(ge=0, le=300)] | None = Field(
        default=None, description="Seconds to wait for the extraction; afterwards the answer is 202 instead of 408"
    )


class DocumentForm(RequestModel):
    """The form of POST /v1/documents."""

    file: Annotated[object, WithJsonSchema({"type": "string", "format": "binary"})]
    folder_id: str = Field(default="", alias="folderId", description="a folder that the document goes into")
    include_images: Literal["true", "false"] = Field(
        default="false", alias="includeImages", description="also draw each page of a PDF"
    )


def is_document_id(text: str) -> bool:
    """Return whether a text can be the id of a document."""
    return is_id("doc", text)


def document_id_of(text: str) -> str:
    """Return the id in a path. Raises ApiError NOT_FOUND (404) for a text that cannot be an id."""
    if not is_document_id(text):
        raise not_found("document")
    return text


def folder_id_of(text: str) -> str:
    """Return the id in a path. Raises as `document_id_of`."""
    if not is_id("folder", text):
        raise not_found("folder")
    return text
