"""Fold facts into pending changes, between loading states and storing them. Pure."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from schemas.envelope import Fact

State = TypeVar("State")


class PendingChanges(dict[str, State]):
    """The states that facts changed, by key. `known` are the states before, `evolve` is their fold."""

    def __init__(self, evolve: Callable[[State | None, Fact], State | None], known: Mapping[str, State]) -> None:
        super().__init__()
        self._evolve = evolve
        self._known = known

    def fold(self, key: str, fact: Fact) -> tuple[State | None, State] | None:
        """Return the state before and after an accepted fact; None when the fact changes nothing."""
        before = self.get(key) or self._known.get(key)
        after = self._evolve(before, fact)
        if after is None or after is before:
            return None
        self[key] = after
        return before, after
