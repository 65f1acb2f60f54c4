"""Lifts the body of an old event version to the next one: pure functions from dict to dict.

Register one per (event name, version it reads). They are applied in a row until the current version is reached.
"""

from collections.abc import Callable
from typing import Any

Body = dict[str, Any]

UPCASTERS: dict[tuple[str, int], Callable[[Body], Body]] = {}
"""Empty as long as every event stands at version 1."""


def upcast(name: str, version: int, current: int, body: Body) -> Body:
    """The body of `name` at `current`, lifted step by step from `version`.

    Raises KeyError when a step is missing, which is a fault of this release, not of the record.
    """
    for step in range(version, current):
        body = UPCASTERS[name, step](body)
    return body
