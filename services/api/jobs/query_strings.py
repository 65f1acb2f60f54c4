"""The query strings of `/api/jobs` (docs/contract/secretary.md#lists and docs/contract/additions.md#history)."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from piperoll.job_types import job_types
from services.api.http.constraints import MAX_INTEGER, PlainText
from services.api.http.shapes import QueryModel

Limit = Annotated[int, Field(ge=0, le=1000, description="How many at most")]
JobType = Annotated[PlainText, AfterValidator(lambda name: job_types().own_name(name))]
"""A job type by any of its names, as its own name."""
Search = Annotated[PlainText, Field(max_length=200)]
"""Words of which each must begin a word of the job (docs/contract/additions.md#search)."""
JobStatus = Literal["pending", "processing", "completed", "failed"]


class CountsQuery(QueryModel):
    """GET /api/jobs/counts. Filters combine; one that is None passes all."""

    user_id: PlainText | None = Field(default=None, description="Only of this user; overrides X-User-ID")
    batch_id: PlainText | None = Field(default=None, description="Only of this batch")
    job_type: JobType | None = Field(default=None, description="Only of this type")
    target_id: PlainText | None = Field(default=None, description="Only with this target_id")
    q: Search | None = Field(default=None, description="Only jobs with words that begin like this: ids, names, text")


class PageQuery(QueryModel):
    """The common part of lists of jobs and of batches. Filters combine; one that is None passes all."""

    status: JobStatus | None = Field(default=None, description="Only of this status")
    user_id: PlainText | None = Field(default=None, description="Only of this user; overrides X-User-ID")
    limit: Limit = 100
    skip: int = Field(default=0, ge=0, le=MAX_INTEGER, description="How many to leave out, from the newest")


class JobListQuery(PageQuery):
    """GET /api/jobs/."""

    batch_id: PlainText | None = Field(default=None, description="Only of this batch")
    job_type: JobType | None = Field(default=None, description="Only of this type")
    target_id: PlainText | None = Field(default=None, description="Only with this target_id")
    q: Search | None = Field(default=None, description="Only jobs with words that begin like this: ids, names, text")
    after: PlainText | None = Field(
        default=None, description="Only the jobs that follow this one, the last of the page before; then without total"
    )


class JobQuery(QueryModel, extra="ignore"):
    """GET /api/jobs/{job_id}."""

    wait: float = Field(default=0.0, ge=0, le=60, description="Seconds to wait for a change of status")


class EventsQuery(QueryModel, extra="ignore"):
    """GET /api/jobs/{job_id}/events."""

    after: int = Field(default=0, ge=0, le=MAX_INTEGER, description="The sequence number to begin after")
    limit: Limit = 100
