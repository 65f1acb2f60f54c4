"""Upcasters: pure functions that convert the body of an event version to the next version.

Register one per (event name, version it reads). They are applied in order until the current version is reached.
"""

from collections.abc import Callable
from typing import Any

Body = dict[str, Any]

UPCASTERS: dict[tuple[str, int], Callable[[Body], Body]] = {}
"""Empty as long as every event has version 1."""


def upcast(name: str, version: int, current: int, body: Body) -> Body:
    """Convert the body of `name` from `version` to `current`. Raises KeyError when an upcaster is missing."""
    for step in range(version, current):
        body = UPCASTERS[name, step](body)
    return body
