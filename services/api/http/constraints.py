"""Constraints of fields of requests beyond pydantic's, each described in OpenAPI and with its own message."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, core_schema

from schemas.fields import ONE_LINE

MAX_INTEGER: Final = 2**31 - 1  # Postgres' integer


@dataclass(frozen=True, slots=True)
class Refusal:
    """A field's message for any wrong value; its braces are filled from the field's JSON schema."""

    sentence: str
    supported: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OneOf:
    """The allowed values of a text, where they are computed (else `Literal`)."""

    values: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema, as pydantic asks custom types for it."""
        return core_schema.literal_schema(list(self.values))


class WrongValueError(ValueError):
    """A validator's own message, which replaces the field's; and the allowed values."""

    def __init__(self, message: str, supported: Iterable[str] | None = None) -> None:
        super().__init__(message)
        self.supported = None if supported is None else list(supported)


@dataclass(frozen=True, slots=True)
class SomeOf:
    """The allowed values of a list of texts, of which at least `least` are given.

    The message's `{allowed}` is all of them, its `{unknown}` the first given texts that are not allowed.
    """

    values: tuple[str, ...]
    sentence: str
    least: int = 0

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema, as pydantic asks custom types for it."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the JSON schema, as pydantic asks custom types for it."""
        least = {"minItems": self.least} if self.least else {}
        return {**handler(schema), "items": {"enum": list(self.values)}, **least}

    def _check(self, given: list[str]) -> list[str]:
        unknown = [one[:50] for one in dict.fromkeys(given) if one not in self.values]
        if unknown or len(given) < self.least:
            sentence = self.sentence.format(allowed=", ".join(self.values), unknown=", ".join(unknown[:5]))
            raise WrongValueError(sentence, self.values)
        return given


PlainText = Annotated[
    str,
    StringConstraints(pattern=ONE_LINE),
    Refusal("must not contain a NUL character or other control characters"),
]
"""A text in a query string."""


def printable(text: str) -> str:
    """Return the text. Raises ValueError for control characters."""
    if not text.isprintable():
        raise ValueError("must not contain a NUL character or other control characters")
    return text


def utc_time(value: object) -> datetime:
    """Parse a time with its offset. Raises ValueError."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        if time is not None and time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("must be a time with its offset (RFC 3339), such as 2027-01-01T00:00:00Z")
