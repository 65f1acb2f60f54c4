"""Validates requests about batches (docs/contract/secretary.md#validation, #lists). Pure."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from schemas.fields import Label
from schemas.job_types.parameters import Webhook
from services.api.http.bodies import JsonBody, canonical_sha256
from services.api.http.constraints import Refusal
from services.api.http.errors import ApiError, in_member, invalid_field, invalid_request
from services.api.http.shapes import COMPONENT, EnvelopeModel
from services.api.jobs.query_strings import PageQuery
from services.api.jobs.requests import BatchSubmission, JobBody, Rules, Submission, job_of


class BatchListQuery(PageQuery):
    """GET /api/jobs/batches."""

    archived: str | None = Field(default=None, description="true lists nothing: batches are never archived")


class BatchBody(EnvelopeModel):
    """The body of POST /api/jobs/batch. The jobs are validated one by one, so that an error has its index."""

    jobs: Annotated[
        list[Any],
        Field(min_length=1, json_schema_extra={"items": JobBody.model_json_schema()}),
        Refusal("must be a list of at least one job"),
    ]
    batch_name: Label | None = None
    user_id: Label | None = None
    webhook: Annotated[
        Any,
        Field(description="for every job without a webhook"),
        WithJsonSchema({"anyOf": [{COMPONENT: Webhook.__name__}, {"type": "null"}]}),
    ] = None


def parse_batch(sent: JsonBody, rules: Rules, user_id: str | None = None) -> BatchSubmission:
    """Validate a body of POST /api/jobs/batch. The details of an error in a job have its `index`."""
    body = BatchBody.read(sent.value)
    if len(body.jobs) > rules.max_batch_jobs:
        raise invalid_field("jobs", f"must not be more than {rules.max_batch_jobs:,}")
    inherited = {} if body.webhook is None else {"webhook": body.webhook}
    batch_user = body.user_id or user_id
    return BatchSubmission(
        name=body.batch_name,
        jobs=tuple(_member(job, index, rules, batch_user, inherited) for index, job in enumerate(body.jobs)),
        user_id=batch_user,
        body_sha256=sent.sha256,
    )


def _member(job: Any, index: int, rules: Rules, user_id: str | None, inherited: dict[str, Any]) -> Submission:
    try:
        if not isinstance(job, dict):
            raise invalid_request("a job must be a JSON object")
        return job_of(job, rules, user_id, inherited, canonical_sha256(job))
    except ApiError as error:
        raise in_member(error, index) from error
