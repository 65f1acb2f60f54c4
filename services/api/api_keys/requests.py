"""What an admin asks an API key to be: a body in, a validated wish out. Pure; refusals are ApiErrors (contract 2e)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from piperoll.keys import OWNER_RULE, SCOPES, is_owner
from services.api.http.errors import ApiError, invalid_field
from services.api.http.fields import invalid_values

DAY_S: Final = 86_400
MAX_OVERLAP_S: Final = 30 * DAY_S


class KeyBody(BaseModel):
    """The body of POST /api/keys."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    owner: str
    scopes: list[str]
    expires_at: str | None = None


class RotateBody(BaseModel):
    """The body of POST /api/keys/{id}/rotate."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    overlap_s: float = Field(default=DAY_S, ge=0, le=MAX_OVERLAP_S)


@dataclass(frozen=True, slots=True)
class WantedKey:
    """A key that may be made. Without `expires_at` it is good until it is deleted."""

    owner: str
    scopes: frozenset[str]
    expires_at: datetime | None


def wanted_key(body: Mapping[str, Any], now: datetime) -> WantedKey:
    """The key in a body. Raises ApiError INVALID_PARAMETERS (400)."""
    try:
        given = KeyBody.model_validate(body)
    except ValidationError as error:
        raise invalid_values(error, "body") from error
    if not is_owner(given.owner):
        raise invalid_field("owner", f"must be {OWNER_RULE}")
    scopes = frozenset(given.scopes)
    if not scopes or scopes - SCOPES:
        raise invalid_field("scopes", f"must be one or more of {', '.join(sorted(SCOPES))}", sorted(SCOPES))
    return WantedKey(given.owner, scopes, None if given.expires_at is None else _moment(given.expires_at, now))


def wanted_overlap(body: Mapping[str, Any]) -> float:
    """For how many seconds a rotated key stays good. Raises ApiError INVALID_PARAMETERS (400)."""
    try:
        return RotateBody.model_validate(body).overlap_s
    except ValidationError as error:
        raise invalid_values(error, "body") from error


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
