"""Validates registrations of endpoints (docs/contract/secretary.md#validation). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from piperoll.addresses import Network
from schemas.devana import STATUS_NAMES
from services.api.http.errors import invalid_field
from services.api.http.shapes import FieldsModel
from services.api.http.webhook_fields import HookToken, HookUrl, webhook_of


class EndpointBody(FieldsModel):
    """The body of POST /v1/webhooks."""

    url: HookUrl
    token: HookToken = None
    statuses: Annotated[list[str], Field(json_schema_extra={"items": {"enum": list(STATUS_NAMES)}})] | None = Field(
        default=None, description="the statuses to send; all by default"
    )


@dataclass(frozen=True, slots=True)
class EndpointRequest:
    """A validated endpoint. Without statuses it gets all of them."""

    url: str
    token: str | None
    statuses: tuple[str, ...]


def endpoint_request(body: Mapping[str, Any], allowed: Iterable[Network]) -> EndpointRequest:
    """Validate a body. Raises ApiError: INVALID_PARAMETERS, BLOCKED_ADDRESS (400)."""
    supported = {"statuses": list(STATUS_NAMES)}
    fields = EndpointBody.read(body, supported)
    hook = webhook_of(fields.url, fields.token, allowed, supported)
    statuses = tuple(dict.fromkeys(fields.statuses or ()))
    if unknown := [status[:50] for status in statuses if status not in STATUS_NAMES]:
        raise invalid_field("statuses", f"not supported: {', '.join(unknown[:5])}", list(STATUS_NAMES))
    return EndpointRequest(hook.url, hook.token, statuses)
