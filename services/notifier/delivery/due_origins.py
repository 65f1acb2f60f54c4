"""When receivers may have something due, and how free capacity is assigned to them. No I/O, no clock."""

from collections.abc import Mapping, Sequence


class DueOrigins:
    """The expected due times, by origin, corrected from the queue at intervals.

    Times are seconds on one monotonic clock. A wrong time costs one empty claim.
    """

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def hint(self, origin: str, at: float) -> None:
        """Something of this origin becomes due at that time."""
        self._due[origin] = min(at, self._due.get(origin, at))

    def correct(self, due: Mapping[str, float]) -> None:
        """Replace all times by those of the queue; hints since the query must be repeated."""
        for origin, at in due.items():
            self.hint(origin, at)

    def ready(self, now: float) -> list[str]:
        """Origins due by now, the longest waiting first."""
        return [origin for at, origin in sorted((at, origin) for origin, at in self._due.items() if at <= now)]

    def forget(self, origins: Sequence[str]) -> None:
        """Remove origins that are about to be claimed; later hints are new."""
        for origin in origins:
            self._due.pop(origin, None)

    def next_due(self, now: float) -> float | None:
        """When the next origin becomes due, later than now."""
        return min((at for at in self._due.values() if at > now), default=None)


def deal(free: int, rooms: Mapping[str, int]) -> dict[str, int]:
    """Assign free capacity in rounds of one row per receiver, so that no backlog takes all of it."""
    dealt: dict[str, int] = {}
    waiting = [origin for origin, room in rooms.items() if room > 0]
    while free > 0 and waiting:
        for origin in waiting[:free]:
            dealt[origin] = dealt.get(origin, 0) + 1
        free -= min(free, len(waiting))
        waiting = [origin for origin in waiting if dealt.get(origin, 0) < rooms[origin]]
    return dealt
