"""Which receivers may have something due, when, and how the free places are dealt to them. No I/O, no clock."""

from collections.abc import Mapping, Sequence


class DueOrigins:
    """What this process expects to be due, by origin; corrected from the queue now and then.

    Times are seconds on one monotonic clock. An entry too many costs one empty claim.
    """

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def hint(self, origin: str, at: float) -> None:
        """Something of this origin becomes due at that time."""
        self._due[origin] = min(at, self._due.get(origin, at))

    def correct(self, due: Mapping[str, float]) -> None:
        """Take what the queue holds; hints that came since the query are kept by hinting them again."""
        for origin, at in due.items():
            self.hint(origin, at)

    def ready(self, now: float) -> list[str]:
        """Origins due by now, the one that waits longest first."""
        return sorted((origin for origin, at in self._due.items() if at <= now), key=self._due.__getitem__)

    def forget(self, origins: Sequence[str]) -> None:
        """They are about to be claimed; whatever is hinted from here on is new."""
        for origin in origins:
            self._due.pop(origin, None)

    def next_due(self, now: float) -> float | None:
        """When the next origin becomes due, later than now."""
        return min((at for at in self._due.values() if at > now), default=None)


def deal(free: int, rooms: Mapping[str, int]) -> dict[str, int]:
    """Deals the free places in turn, one a receiver a round, so that no receiver's backlog takes them all."""
    dealt: dict[str, int] = {}
    waiting = [origin for origin, room in rooms.items() if room > 0]
    while free > 0 and waiting:
        for origin in waiting[:free]:
            dealt[origin] = dealt.get(origin, 0) + 1
        free -= min(free, len(waiting))
        waiting = [origin for origin in waiting if dealt.get(origin, 0) < rooms[origin]]
    return dealt
