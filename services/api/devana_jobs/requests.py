"""What the query string of `GET /v1/jobs` may say (contract 15a). Pure.

Names that the seed does not know are ignored: clients of the other server may send what it ignored too.
"""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from piperoll.job_types import job_types
from schemas.devana import KILLED, STATUSES, TYPE_NAMES
from services.api.http.shapes import OneOf, PlainText, QueryModel

MAX_LIMIT: Final = 100
STATUS_NAMES: Final = tuple(STATUSES.values())


class DevanaJobsQuery(QueryModel, extra="ignore"):
    """GET /v1/jobs. `type` takes types and statuses (contract A1); of several values of one kind any will do, and
    filters combine."""

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
        """The job types to list, in our own names."""
        chosen = dict.fromkeys(name for name in self.type if name in TYPE_NAMES)
        return tuple(job_type for name in chosen or TYPE_NAMES for job_type in job_types().devana(name))

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses to list, in our own names; none for filters that exclude each other."""
        of_type = [name for name in self.type if name in STATUS_NAMES] or STATUS_NAMES
        of_status = self.status or STATUS_NAMES
        return tuple(
            status for status, name in STATUSES.items() if name in of_type and name in of_status and name != KILLED
        )
