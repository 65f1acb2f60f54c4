"""What a provider's failure means for the run: for good or worth another attempt, and in which words. Pure.

Sentences name the provider's status and its own short reason; never the request, which holds the document.
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


def refused(
    status: int, body: str, headers: Mapping[str, str], unavailable: ErrorCode, now: datetime
) -> ProcessingError:
    """The provider answered with an error status; `unavailable` is the code for a key that it does not accept."""
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
            ErrorCode.RATE_LIMITED, "The provider takes no more requests for now (status 429).", retry_after_s=wait
        )
    if status < 400:
        return malformed(f"it came with status {status}, and not as the JSON that was promised")
    again = status >= 500 or status == TIMED_OUT
    return ProcessingError(
        ErrorCode.PROVIDER_ERROR, f"The provider failed with status {status}{_reason(body)}.", again, wait
    )


def unreachable(url: str, error: Exception) -> ProcessingError:
    """The provider could not be reached, or broke the connection off."""
    return ProcessingError(
        ErrorCode.PROVIDER_ERROR, f"The provider at {url} could not be reached.", error_type=type(error).__name__
    )


def too_slow(timeout_s: float) -> ProcessingError:
    """The provider did not answer in time."""
    return ProcessingError(
        ErrorCode.PROVIDER_ERROR,
        f"The provider did not answer within {timeout_s:g} s.",
        error_type="ProviderTimeout",
    )


def malformed(what: str) -> ProcessingError:
    """The provider answered 200 with something else than it promises; the next answer would be no better."""
    return ProcessingError(
        ErrorCode.PROCESSING_ERROR,
        f"The provider's answer cannot be read: {what}.",
        retryable=False,
        error_type="MalformedProviderAnswer",
    )


def _reason(body: str) -> str:
    """`: reason` when the body is the usual `{"message": …}` or `{"error": {"message": …}}`, else nothing."""
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    error = document.get("error", document) if isinstance(document, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return f": {' '.join(message.split())[:REASON_CHARS]}" if isinstance(message, str) and message.strip() else ""
