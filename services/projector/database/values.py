"""Values in the form that Postgres accepts. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from schemas.envelope import Fact


def text(value: str) -> str:
    """Return a text for a column: NUL, which Postgres refuses, shown as the replacement character."""
    return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def optional_text(value: str | None) -> str | None:
    """Return a text for a column that may be null."""
    return None if value is None else text(value)


def columns(rows: Sequence[Any], shape: type[Any]) -> list[list[Any]]:
    """Turn rows of a dataclass into one array per field, as `unnest` takes them."""
    return [[getattr(row, column.name) for row in rows] for column in fields(shape)]


def subjects_of(facts: Iterable[tuple[Fact, int]]) -> list[str]:
    """Return the keys to load before a fold: each subject once."""
    return list({text(fact.subject) for fact, _ in facts})
