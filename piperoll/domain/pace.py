"""The pace of an owner's requests while other owners use this process too. No I/O.

One owner that sends without a pause would take the processor from the others, behind the API as well. Beside other
owners its requests wait for their turn, so many a second; an owner that is alone is not held up.
"""

from dataclasses import dataclass

SHARED_S = 10.0  # since the last request of another owner
BURST_S = 0.2  # so much of the pace may be sent at once


@dataclass(frozen=True, slots=True)
class _Seen:
    """An owner and when its last request came."""

    owner: str
    at: float


class Pace:
    """Spreads each owner's requests over time: `per_s` a second while others send too. Times are in seconds."""

    def __init__(self, per_s: int) -> None:
        self._interval = 1 / per_s
        self._burst = BURST_S
        self._latest: _Seen | None = None
        self._other: _Seen | None = None  # the latest one of another owner than `_latest`
        self._turns: dict[str, float] = {}  # when the next request of an owner is due

    def wait(self, owner: str, now: float) -> float:
        """Return for how long a request that comes now waits, and count it."""
        is_shared = self._is_shared(owner, now)
        self._note(owner, now)
        if not is_shared:
            self._turns.pop(owner, None)
            return 0.0
        turn = max(self._turns.get(owner, 0.0), now - self._burst)
        self._turns[owner] = turn + self._interval
        return max(0.0, turn - now)

    def _is_shared(self, owner: str, now: float) -> bool:
        other = self._other if self._latest is not None and self._latest.owner == owner else self._latest
        return other is not None and now - other.at < SHARED_S

    def _note(self, owner: str, now: float) -> None:
        if self._latest is not None and self._latest.owner != owner:
            self._other = self._latest
        self._latest = _Seen(owner, now)
