"""Validates requests about API keys (docs/contract/additions.md#api-keys). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import Field

from piperoll.keys import OWNER_RULE, SCOPES, is_owner
from services.api.http.errors import invalid_field
from services.api.http.shapes import FieldsModel, utc_time

DAY_S: Final = 86_400


class KeyBody(FieldsModel):
    """The body of POST /api/keys."""

    owner: str = Field(description=OWNER_RULE)
    scopes: list[str] = Field(json_schema_extra={"minItems": 1, "items": {"enum": [*sorted(SCOPES)]}})
    expires_at: str | None = Field(
        default=None,
        description="in the future; without it the key is valid until it is deleted",
        json_schema_extra={"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
    )


class RotateBody(FieldsModel):
    """The body of POST /api/keys/{id}/rotate."""

    overlap_s: float = Field(default=DAY_S, ge=0, le=30 * DAY_S, description="how many seconds the old key stays valid")


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A validated key. Without `expires_at` it is valid until it is deleted."""

    owner: str
    scopes: frozenset[str]
    expires_at: datetime | None


def key_request(body: Mapping[str, Any], now: datetime) -> KeyRequest:
    """Validate a body. Raises ApiError INVALID_PARAMETERS (400)."""
    given = KeyBody.read(body)
    if not is_owner(given.owner):
        raise invalid_field("owner", f"must be {OWNER_RULE}")
    scopes = frozenset(given.scopes)
    if not scopes or scopes - SCOPES:
        raise invalid_field("scopes", f"must be one or more of {', '.join(sorted(SCOPES))}", sorted(SCOPES))
    return KeyRequest(given.owner, scopes, None if given.expires_at is None else _in_future(given.expires_at, now))


def _in_future(text: str, now: datetime) -> datetime:
    try:
        time = utc_time(text)
    except ValueError as error:
        raise invalid_field("expires_at", str(error)) from error
    if time <= now:
        raise invalid_field("expires_at", "must be in the future")
    return time
