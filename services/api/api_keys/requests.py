"""Validates requests about API keys (docs/contract/additions.md#api-keys). Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticKnownError

from piperoll.keys import OWNER_PATTERN, OWNER_RULE, SCOPES, is_owner
from services.api.http.constraints import SomeOf, utc_time
from services.api.http.shapes import FieldsModel

DAY_S: Final = 86_400


def _owner(text: str) -> str:
    if not is_owner(text):
        raise ValueError(f"must be {OWNER_RULE}")
    return text


def _time(value: object) -> datetime:
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    return utc_time(value)


def _in_future(time: datetime, info: ValidationInfo) -> datetime:
    assert info.context is not None
    if time <= info.context["now"]:
        raise ValueError("must be in the future")
    return time


class KeyBody(FieldsModel):
    """The body of POST /api/keys. Without `expires_at` the key is valid until it is deleted."""

    owner: Annotated[str, AfterValidator(_owner)] = Field(
        description=OWNER_RULE, json_schema_extra={"pattern": f"^{OWNER_PATTERN}$"}
    )
    scopes: Annotated[list[str], SomeOf(tuple(sorted(SCOPES)), "must be one or more of {allowed}", least=1)]
    expires_at: Annotated[datetime, BeforeValidator(_time), AfterValidator(_in_future)] | None = Field(
        default=None, description="in the future; without it the key is valid until it is deleted"
    )


class RotateBody(FieldsModel):
    """The body of POST /api/keys/{id}/rotate."""

    overlap_s: float = Field(default=DAY_S, ge=0, le=30 * DAY_S, description="how many seconds the old key stays valid")


def key_request(body: Mapping[str, Any], now: datetime) -> KeyBody:
    """Validate a body. Raises ApiError INVALID_PARAMETERS (400)."""
    return KeyBody.read(body, context={"now": now})
