"""The url and token of a webhook in other bodies than a job's: described and validated as a job's `webhook`."""

from collections.abc import Iterable
from typing import Annotated, Any, Final

from pydantic import ValidationError, WithJsonSchema

from piperoll.addresses import Network
from schemas.job_types.parameters import Webhook
from services.api.http.references import check_address
from services.api.http.shapes import invalid_values

_FIELDS: Final = Webhook.model_json_schema()["properties"]

HookUrl = Annotated[Any, WithJsonSchema({**_FIELDS["url"], "description": "http or https, not private"})]
HookToken = Annotated[
    Any, WithJsonSchema({**_FIELDS["token"], "description": "sent as Authorization and X-Callback-Token"})
]


def webhook_of(url: Any, token: Any, allowed: Iterable[Network], supported: Any = None) -> Webhook:
    """Return a validated webhook. Raises ApiError: INVALID_PARAMETERS, BLOCKED_ADDRESS (400)."""
    try:
        hook = Webhook.model_validate({"url": url, "token": token})
    except ValidationError as error:
        raise invalid_values(error, "url", supported) from error
    check_address("url", hook.url, allowed)
    return hook
