"""The query strings of `/api/jobs/{job_id}/pages` (docs/contract/additions.md#pages)."""

from pydantic import Field

from services.api.http.constraints import MAX_INTEGER
from services.api.http.shapes import QueryModel


class PagesQuery(QueryModel):
    """GET /api/jobs/{job_id}/pages."""

    after: int = Field(default=0, ge=0, le=MAX_INTEGER, description="The number of the page to begin after")
    limit: int = Field(default=100, ge=1, le=1000, description="How many at most")


class PictureQuery(QueryModel):
    """GET /api/jobs/{job_id}/pages/{page}/picture."""

    width: int = Field(default=800, ge=1, le=10_000, description="The wanted width in pixels")
