"""The bodies of hooks (docs/contract/secretary.md#webhooks). Pure."""

from typing import Any

from pydantic_core import to_json

from piperoll.job_types import job_types
from piperoll.webhooks.messages import SCHEMA_VERSION
from schemas.errors import ErrorCode
from services.notifier.delivery.contents import read_object, sentence_of
from services.notifier.hooks.order import ClaimedHook, HookProgress


def progress_body(claimed: ClaimedHook, progress: HookProgress) -> bytes:
    """The job's progress."""
    return to_json(
        {
            "phase": "processing",
            "progress": progress.percent,
            "message": job_types().of(claimed.job.job_type).step_message(progress.step),
            "step": progress.step,
            **_common(claimed),
        }
    )


def completed_body(claimed: ClaimedHook, result: bytes | None, public_url: str) -> bytes:
    """The job's result; without data if it was erased meanwhile. Raises UnreadableContentError."""
    declared = job_types().of(claimed.job.job_type)
    message, data = declared.completion(claimed.job_id, {} if result is None else read_object(result))
    shown = None if result is None else _absolute(data, public_url)
    return to_json({"phase": "completed", "message": message, "data": shown, **_common(claimed)})


def error_body(claimed: ClaimedHook, details: bytes | None) -> bytes:
    """The cause of a job's failure. Raises UnreadableContentError."""
    code = claimed.job.error_code or ErrorCode.PROCESSING_ERROR.value
    given = read_object(details) if details is not None else {}
    message = given.get("message") or sentence_of(code)
    error = {"code": code, "message": message, "details": given.get("details") or {}}
    return to_json({"phase": "error", "message": message, "error": error, "data": None, **_common(claimed)})


def _common(claimed: ClaimedHook) -> dict[str, Any]:
    return {
        "process": {"id": claimed.job_id, "main_processor": claimed.job.job_type},
        "job": {"id": claimed.client_id},
        "schema_version": SCHEMA_VERSION,
    }


def _absolute(data: dict[str, Any], public_url: str) -> dict[str, Any]:
    """Data with its relative links (`…_url`) made absolute, if a public URL is configured."""
    base = public_url.rstrip("/")
    return {
        name: f"{base}{value}" if name.endswith("_url") and str(value).startswith("/") else value
        for name, value in data.items()
    }
