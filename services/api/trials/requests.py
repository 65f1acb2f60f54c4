"""What a trial of a webhook asks for: a body in, a webhook as jobs have it out. Pure (contract 2e)."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from piperoll.addresses import Network
from schemas.job_types.parameters import Webhook
from services.api.http.fields import check_names, invalid_values
from services.api.http.references import check_address


def wanted_trial(body: Mapping[str, Any], allowed: Iterable[Network]) -> Webhook:
    """`{url, token?}`, judged as the `webhook` of a job is.

    Raises ApiError: INVALID_REQUEST, INVALID_PARAMETERS, BLOCKED_ADDRESS (400).
    """
    check_names(body, {"url", "token"})
    try:
        hook = Webhook.model_validate(body)
    except ValidationError as error:
        raise invalid_values(error, "url") from error
    check_address("url", hook.url, allowed)
    return hook
