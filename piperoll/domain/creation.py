"""Builds JobCreated for all its writers: the API, the batch expander, and the findings of runs. Pure."""

from collections.abc import Mapping
from typing import Any

from piperoll.domain.work import work_sha256
from schemas.claims import Claim
from schemas.events import JobCreated
from schemas.job_types.parameters import JobParameters


def terms_of(job_type: str, asked: JobParameters, body_sha256: str, user_id: str | None) -> dict[str, Any]:
    """The fields of a JobCreated that need no blob, as JSON; the specs of a batch contain them for each member."""
    return {
        "job_type": job_type,
        "body_sha256": body_sha256,
        "user_id": user_id,
        "target_id": asked.about_id,
        "priority": asked.priority,
        "timeout_s": asked.timeout_s,
        "max_attempts": asked.max_attempts,
        "has_webhook": asked.webhook is not None,
        "work_sha256": work_sha256(job_type, asked),
    }


def job_created(
    terms: Mapping[str, Any],
    parameters: Claim,
    batch_id: str | None = None,
    retry_of: str | None = None,
    unchecked: bool = False,
) -> JobCreated:
    """The event. Other keys of `terms` are ignored. Raises pydantic's ValidationError."""
    given = {"parameters": parameters, "batch_id": batch_id, "retry_of": retry_of, "unchecked": unchecked}
    return JobCreated.model_validate({**terms, **given})
