"""Validates requests for test webhooks (docs/contract/additions.md#trials). Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from piperoll.addresses import Network
from schemas.job_types.parameters import Webhook
from services.api.http.errors import ApiError
from services.api.http.webhook_fields import ReceiverBody


class TrialBody(ReceiverBody):
    """The body of POST /api/webhooks/test."""

    @classmethod
    def _refusal(cls, error: ValidationError, supported: Mapping[str, Iterable[str]]) -> ApiError:
        return cls._unknown(error) or super()._refusal(error, supported)


def trial_webhook(body: Mapping[str, Any], allowed: Iterable[Network]) -> Webhook:
    """Validate a body as the `webhook` of a job. Raises ApiError: INVALID_REQUEST, INVALID_PARAMETERS, BLOCKED_ADDRESS
    (400)."""
    given = TrialBody.read_allowed(body, allowed)
    return Webhook(url=given.url, token=given.token)
