"""What a client asks an endpoint to be: a body in, a validated request out. Pure (contract 2b)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from piperoll.addresses import Network
from schemas.devana import STATUSES
from services.api.http.errors import invalid_field
from services.api.http.shapes import FieldsModel
from services.api.http.webhook_fields import HookToken, HookUrl, webhook_of

STATUS_NAMES: Final = tuple(STATUSES.values())


class EndpointBody(FieldsModel):
    """The body of POST /v1/webhooks."""

    WHOLE: ClassVar = "url"

    url: HookUrl
    token: HookToken = None
    statuses: Annotated[list[str], Field(json_schema_extra={"items": {"enum": list(STATUS_NAMES)}})] | None = Field(
        default=None, description="which to send; without it all of them"
    )


@dataclass(frozen=True, slots=True)
class EndpointRequest:
    """An endpoint that may be registered. No statuses: it gets all of them."""

    url: str
    token: str | None
    statuses: tuple[str, ...]


def endpoint_request(body: Mapping[str, Any], allowed: Iterable[Network]) -> EndpointRequest:
    """The endpoint in a body. Raises ApiError: INVALID_PARAMETERS, BLOCKED_ADDRESS (400)."""
    supported = {"statuses": list(STATUS_NAMES)}
    given = EndpointBody.read(body, supported)
    hook = webhook_of(given.url, given.token, allowed, supported)
    statuses = tuple(dict.fromkeys(given.statuses or ()))
    if unknown := [status[:50] for status in statuses if status not in STATUS_NAMES]:
        raise invalid_field("statuses", f"not known: {', '.join(unknown[:5])}", list(STATUS_NAMES))
    return EndpointRequest(hook.url, hook.token, statuses)
