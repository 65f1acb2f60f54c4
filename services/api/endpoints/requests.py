"""Validates registrations of endpoints (docs/contract/secretary.md#validation). Pure."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from piperoll.addresses import Network
from schemas.devana import STATUS_NAMES
from services.api.http.constraints import SomeOf
from services.api.http.webhook_fields import ReceiverBody


class EndpointBody(ReceiverBody):
    """The body of POST /v1/webhooks."""

    statuses: Annotated[list[str], SomeOf(tuple(STATUS_NAMES), "not supported: {unknown}")] | None = Field(
        default=None, description="the statuses to send; all by default"
    )

    @property
    def wanted_statuses(self) -> tuple[str, ...]:
        """The statuses to send, without repeats; none for all of them."""
        return tuple(dict.fromkeys(self.statuses or ()))


def endpoint_request(body: Mapping[str, Any], allowed: Iterable[Network]) -> EndpointBody:
    """Validate a body. Raises ApiError: INVALID_PARAMETERS, BLOCKED_ADDRESS (400)."""
    return EndpointBody.read_allowed(body, allowed, {"statuses": STATUS_NAMES})
