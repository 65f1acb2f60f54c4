"""What an admin asks an API key to be: a body in, a validated request out. Pure (contract 2e)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import Field

from piperoll.keys import OWNER_RULE, SCOPES, is_owner
from services.api.http.errors import ApiError, invalid_field
from services.api.http.shapes import FieldsModel

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
    """A key that may be created. Without `expires_at` it is valid until it is deleted."""

    owner: str
    scopes: frozenset[str]
    expires_at: datetime | None


def key_request(body: Mapping[str, Any], now: datetime) -> KeyRequest:
    """The key in a body. Raises ApiError INVALID_PARAMETERS (400)."""
    given = KeyBody.read(body)
    if not is_owner(given.owner):
        raise invalid_field("owner", f"must be {OWNER_RULE}")
    scopes = frozenset(given.scopes)
    if not scopes or scopes - SCOPES:
        raise invalid_field("scopes", f"must be one or more of {', '.join(sorted(SCOPES))}", sorted(SCOPES))
    return KeyRequest(given.owner, scopes, None if given.expires_at is None else _moment(given.expires_at, now))


def _moment(text: str, now: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise _no_moment()
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _no_moment() from error
    if moment <= now:
        raise invalid_field("expires_at", "lies in the past: such a key would never be good")
    return moment


def _no_moment() -> ApiError:
    return invalid_field("expires_at", "must be a time with its offset (RFC 3339), such as 2027-01-01T00:00:00Z")
