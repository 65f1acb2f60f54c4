"""The OpenAPI description of `/api/webhooks/test` (contract 2e)."""

from typing import Final

from services.api.openapi.examples import Json
from services.api.openapi.grammar import BAD_JOB, data, json_body, operation, refusal
from services.api.trials.requests import TrialBody

_REDIRECTED: Final[Json] = {
    "ok": False,
    "reason": "HTTP_STATUS",
    "message": "The receiver answered 301, which leads to https://example.com:443. Redirects are not followed: give the"
    " url that it leads to.",
    "status": 301,
    "redirect": "https://example.com:443",
    "duration_ms": 48,
    "addresses": ["93.184.215.14"],
    "webhook_id": "msg_0d6c7e0f5a1b5c2d9e3f4a5b6c7d8e9f",
}
_REASONS: Final = (
    "BLOCKED_ADDRESS, NAME_NOT_FOUND, CONNECTION, TLS, TIMEOUT, HTTP_STATUS, UNREADABLE; null where it arrived"
)

TEST = operation(
    "Post a trial to a webhook: whether webhooks arrive there, and if not, why",
    {
        200: data(_REDIRECTED, f"The outcome; `reason` is one of {_REASONS}"),
        429: refusal("RATE_LIMITED", "Too many trials at once or in a minute, see Retry-After: RATE_LIMITED"),
    },
    (400,),
    json_body(TrialBody, {"url": "http://example.com/webhook", "token": "s3cret"}),
    bad=BAD_JOB,
)
