"""Convert a provider's failures to ProcessingErrors, retryable or not. Pure.

Messages contain the provider's status and short reason, never the request, which contains the document.
"""

import json
from collections.abc import Mapping
from datetime import datetime

from piperoll.webhooks.retry_after import retry_after_s
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError

REASON_CHARS = 200
BUSY = 429
TIMED_OUT = 408


def rejected(
    status: int, body: str, headers: Mapping[str, str], unavailable: ErrorCode, now: datetime
) -> ProcessingError:
    """Return the error for an error status; `unavailable` is the code for a rejected key."""
    wait = retry_after_s(headers.get("retry-after"), now)
    if status in (401, 403):
        return ProcessingError(
            unavailable,
            f"The provider does not accept the configured key (status {status}): check MISTRAL_API_KEY.",
            retryable=False,
            error_type="ProviderKeyRefused",
        )
    if status == BUSY:
        return ProcessingError(
            ErrorCode.RATE_LIMITED, "The provider's rate limit is reached (status 429).", retry_after_s=wait
        )
    if status < 400:
        return malformed(f"it has status {status} and is not the expected JSON")
    again = status >= 500 or status == TIMED_OUT
    return ProcessingError(
        ErrorCode.PROVIDER_ERROR, f"The provider failed with status {status}{_reason(body)}.", again, wait
    )


def unreachable(url: str, error: Exception) -> ProcessingError:
    """Return the error for a provider that could not be reached or whose connection broke."""
    return ProcessingError(
        ErrorCode.PROVIDER_ERROR, f"The provider at {url} could not be reached.", error_type=type(error).__name__
    )


def timed_out(timeout_s: float) -> ProcessingError:
    """Return the error for a provider that did not answer in time."""
    return ProcessingError(
        ErrorCode.PROVIDER_ERROR,
        f"The provider did not answer within {timeout_s:g} s.",
        error_type="ProviderTimeout",
    )


def malformed(what: str) -> ProcessingError:
    """Return the error for an invalid answer with status 200. Not retryable: a retry would get the same answer."""
    return ProcessingError(
        ErrorCode.PROCESSING_ERROR,
        f"The provider's answer cannot be read: {what}.",
        retryable=False,
        error_type="MalformedProviderAnswer",
    )


def _reason(body: str) -> str:
    """Return `: reason` for a body `{"message": …}` or `{"error": {"message": …}}`, else an empty string."""
    try:
        content = json.loads(body)
    except ValueError:
        return ""
    error = content.get("error", content) if isinstance(content, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return f": {' '.join(message.split())[:REASON_CHARS]}" if isinstance(message, str) and message.strip() else ""
