"""The bodies of notices (docs/contract/devana.md#notices). Pure."""

from typing import Any

from pydantic_core import to_json

from piperoll.job_types import job_types
from piperoll.webhooks.messages import TRIAL_MESSAGE
from schemas.devana import Figures
from schemas.errors import ErrorCode
from services.notifier.delivery.contents import read_object, sentence_of
from services.notifier.notices.changes import Change, ClaimedNotice

TRIAL_TYPE = "EXTRACTION"


def notice_body(claimed: ClaimedNotice, parameters: bytes | None, error: bytes | None) -> bytes:
    """`{jobId, status, targetId, type, metadata}` from stored parameters and error details, None where erased.

    Raises ValueError for content that cannot be read, and for an unknown job type.
    """
    change = claimed.change
    if change.trial:
        return _body(claimed, claimed.endpoint_id, TRIAL_TYPE, {"test": True, "message": TRIAL_MESSAGE})
    shown_as = job_types().of(change.job_type).devana
    if shown_as is None:
        raise ValueError(f"the job type {change.job_type} is not installed here, or has no Devana type")
    figures = Figures(change.method, change.pages, change.bytes_in, change.counts)
    stored = None if parameters is None else read_object(parameters)
    shown = shown_as.measured(shown_as.described(stored), figures, _sentence(change, error))
    return _body(claimed, change.target_id, shown_as.type, shown)


def _body(claimed: ClaimedNotice, target_id: str, kind: str, shown: dict[str, Any]) -> bytes:
    return to_json(
        {
            "jobId": claimed.job_id,
            "status": claimed.change.status,
            "targetId": target_id,
            "type": kind,
            "metadata": shown,
        }
    )


def _sentence(change: Change, error: bytes | None) -> str | None:
    """The message of a failed job; None for other jobs."""
    if change.status != "ERROR":
        return None
    details = {} if error is None else read_object(error)
    return str(details.get("message") or sentence_of(change.error_code or ErrorCode.PROCESSING_ERROR.value))
