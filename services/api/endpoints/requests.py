"""What a client asks an endpoint to be: a body in, a validated wish out. Pure; refusals are ApiErrors (contract 2b)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from piperoll.addresses import Network
from schemas.devana import STATUSES
from schemas.job_types.parameters import Webhook
from services.api.http.errors import invalid_field
from services.api.http.fields import invalid_values
from services.api.http.references import check_address

STATUS_NAMES: Final = tuple(STATUSES.values())


class EndpointBody(BaseModel):
    """The body of POST /v1/webhooks."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    url: Any
    token: Any = None
    statuses: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """An endpoint that may be registered. No statuses: it is told of every one."""

    url: str
    token: str | None
    statuses: tuple[str, ...]


def wanted_endpoint(body: Mapping[str, Any], allowed: Iterable[Network]) -> Wanted:
    """The endpoint in a body. Raises ApiError: INVALID_PARAMETERS, BLOCKED_ADDRESS (400)."""
    try:
        given = EndpointBody.model_validate(body)
        hook = Webhook.model_validate({"url": given.url, "token": given.token})
    except ValidationError as error:
        # What an address as such lacks is about the `url`.
        raise invalid_values(error, "url", {"statuses": list(STATUS_NAMES)}) from error
    statuses = tuple(dict.fromkeys(given.statuses or ()))
    if unknown := [status[:50] for status in statuses if status not in STATUS_NAMES]:
        raise invalid_field("statuses", f"not known: {', '.join(unknown[:5])}", list(STATUS_NAMES))
    check_address("url", hook.url, allowed)
    return Wanted(hook.url, hook.token, statuses)
