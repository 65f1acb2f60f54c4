"""What statements work on: tables of rows that are never changed, only replaced."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Row = dict[str, Any]
Statement = Callable[..., list[Row] | None]
"""Takes the tables, the time, the session and the statement's parameters; returns rows."""
NEVER = datetime.min.replace(tzinfo=UTC)
"""`-infinity`."""


class Tables(dict[str, dict[Any, Row]]):
    """Rows by key, by the name of their table. A copy is cheap: rows are shared. `numbers` is the last serial one."""

    numbers = 0

    def __missing__(self, name: str) -> dict[Any, Row]:
        self[name] = {}
        return self[name]

    def copy(self) -> "Tables":
        """The same rows in other tables."""
        copied = Tables({name: dict(rows) for name, rows in self.items()})
        copied.numbers = self.numbers
        return copied


def by_text(texts: Mapping[str, str], statements: Mapping[str, Statement]) -> dict[str, Statement]:
    """Statements by their text instead of their name."""
    return {texts[name]: run for name, run in statements.items()}


def one(row: Row | None) -> list[Row]:
    """The rows of a look-up by key."""
    return [] if row is None else [row]


def zipped(names: tuple[str, ...], columns: tuple[list[Any], ...]) -> list[Row]:
    """The rows of `unnest(columns) AS given(names)`."""
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
