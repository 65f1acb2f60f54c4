"""The query string of `GET /v1/jobs` (docs/contract/devana.md#list-of-jobs). Pure.

Unknown names are ignored, as by the seed's server: its clients may send them.
"""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from piperoll.job_types import job_types
from schemas.devana import KILLED, STATUS_NAMES, STATUSES, TYPE_NAMES
from services.api.http.constraints import OneOf, PlainText
from services.api.http.shapes import QueryModel

MAX_LIMIT: Final = 100


class DevanaJobsQuery(QueryModel, extra="ignore"):
    """GET /v1/jobs. `type` takes types and statuses (docs/contract/decisions.md#a1); several values of one kind are
    alternatives, and filters combine."""

    target_id: PlainText | None = Field(
        default=None, alias="targetId", description="Only about this document, folder, batch or job"
    )
    type: list[Annotated[str, OneOf((*STATUS_NAMES, *TYPE_NAMES))]] = Field(
        default=[], description="Only of this type or status"
    )
    status: list[Annotated[str, OneOf(STATUS_NAMES)]] = Field(
        default=[], description="Only of this status; combines with a type"
    )
    limit: Annotated[int, Field(ge=1), AfterValidator(lambda limit: min(limit, MAX_LIMIT))] = Field(
        default=25, description=f"How many at most; more than {MAX_LIMIT} means {MAX_LIMIT}"
    )
    offset: int = Field(default=0, ge=0, le=1000, description="How many to leave out, from the newest")

    @property
    def job_types(self) -> tuple[str, ...]:
        """Return the job types to list, by their names in `piperoll.job_types`."""
        chosen = dict.fromkeys(name for name in self.type if name in TYPE_NAMES)
        return tuple(job_type for name in chosen or TYPE_NAMES for job_type in job_types().devana(name))

    @property
    def statuses(self) -> tuple[str, ...]:
        """Return the statuses of the fold to list; none for filters that exclude each other."""
        of_type = [name for name in self.type if name in STATUS_NAMES] or STATUS_NAMES
        of_status = self.status or STATUS_NAMES
        return tuple(
            status for status, name in STATUSES.items() if name in of_type and name in of_status and name != KILLED
        )
