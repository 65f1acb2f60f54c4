"""The query strings of `/api/jobs/{job_id}/pages` (docs/contract/additions.md#pages)."""

from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.fields import NO_NUL
from services.api.http.constraints import MAX_INTEGER, Refusal
from services.api.http.shapes import QueryModel


class PagesQuery(QueryModel):
    """GET /api/jobs/{job_id}/pages."""

    after: int = Field(default=0, ge=0, le=MAX_INTEGER, description="The number of the page to begin after")
    limit: int = Field(default=100, ge=1, le=1000, description="How many at most")


class PassageQuery(QueryModel):
    """GET /api/jobs/{job_id}/pages/passage."""

    text: Annotated[
        str,
        StringConstraints(min_length=1, max_length=4000, pattern=NO_NUL),
        Refusal("must be a text of {minLength} to {maxLength:,} characters: the passage to find"),
    ] = Field(description="A part of the job's text, such as a hit of a search")


class PictureQuery(QueryModel):
    """GET /api/jobs/{job_id}/pages/{page}/picture."""

    width: int = Field(default=800, ge=1, le=10_000, description="The wanted width in pixels")
