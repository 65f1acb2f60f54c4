"""When receivers may have something due, and how free capacity is assigned to them. No I/O, no clock.

A receiver is an origin as one owner uses it: what one owner sends to an origin delays no other owner.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

MOST_RECEIVERS = 500
"""Receivers of an owner that are watched at a time. The others have their turn with the next looks at the queue."""

SHARE = 3
"""An owner has at most so many times the capacity that stays free: three quarters of all if it is alone."""


class ReceiverKey(NamedTuple):
    """An owner's receiver."""

    owner: str
    origin: str


class DueReceivers:
    """The expected due times by receiver, corrected from the queue at intervals.

    Times are seconds on one monotonic clock. A wrong time costs one empty claim. Bounded for each owner.
    """

    def __init__(self) -> None:
        self._due: dict[str, dict[str, float]] = {}

    def hint(self, receiver: ReceiverKey, at: float) -> None:
        """Something of this receiver becomes due at that time."""
        known = self._due.setdefault(receiver.owner, {})
        if receiver.origin in known or len(known) < MOST_RECEIVERS:
            known[receiver.origin] = min(at, known.get(receiver.origin, at))

    def correct(self, due: Mapping[ReceiverKey, float]) -> None:
        """Take the times of the queue; of an owner with more receivers than are watched, only those."""
        found: dict[str, set[str]] = {}
        for owner, origin in due:
            found.setdefault(owner, set()).add(origin)
        for owner, origins in found.items():
            if len(origins | self._due.get(owner, {}).keys()) > MOST_RECEIVERS:
                self._due.pop(owner, None)
        for receiver, at in due.items():
            self.hint(receiver, at)

    def ready(self, now: float) -> list[ReceiverKey]:
        """Receivers due by now, the longest waiting first."""
        found = ((at, owner, origin) for owner, some in self._due.items() for origin, at in some.items() if at <= now)
        return [ReceiverKey(owner, origin) for _, owner, origin in sorted(found)]

    def forget(self, receivers: Sequence[ReceiverKey]) -> None:
        """Remove receivers that are about to be claimed; later hints are new."""
        for owner, origin in receivers:
            known = self._due.get(owner, {})
            known.pop(origin, None)
            if not known:
                self._due.pop(owner, None)

    def next_due(self, now: float) -> float | None:
        """When the next receiver becomes due, later than now."""
        return min((at for some in self._due.values() for at in some.values() if at > now), default=None)


class Rotation:
    """Where the next look at the queue begins, for owners with more receivers than one look returns."""

    def __init__(self) -> None:
        self._after: dict[str, str] = {}

    @property
    def after(self) -> tuple[list[str], list[str]]:
        """The owners, and the origin after which each one's next look begins."""
        return list(self._after), list(self._after.values())

    def turn(self, found: Sequence[ReceiverKey]) -> None:
        """Go on after what a look found, in the queue's order; after the last receiver from the first one again."""
        counts: dict[str, int] = {}
        last: dict[str, str] = {}
        for owner, origin in found:
            counts[owner] = counts.get(owner, 0) + 1
            last[owner] = origin
        self._after = {owner: last[owner] for owner, count in counts.items() if count >= MOST_RECEIVERS}


def deal(free: int, busy: Mapping[str, int], rooms: Mapping[ReceiverKey, int]) -> dict[ReceiverKey, int]:
    """Assign free capacity to the owner with the least, and within it to its receivers in turn.

    `busy` is what each owner has in flight. An owner gets no more than SHARE times of what stays free, so that some
    is free for an owner that comes next.
    """
    turns = {owner: _in_turn(some) for owner, some in _by_owner(rooms).items()}
    waiting = [(busy.get(owner, 0), place, owner) for place, owner in enumerate(turns)]
    heapq.heapify(waiting)
    dealt: dict[ReceiverKey, int] = {}
    while waiting and waiting[0][0] < SHARE * free:
        has, place, owner = heapq.heappop(waiting)
        receiver = next(turns[owner], None)
        if receiver is not None:
            dealt[receiver] = dealt.get(receiver, 0) + 1
            free -= 1
            heapq.heappush(waiting, (has + 1, place, owner))
    return dealt


def _by_owner(rooms: Mapping[ReceiverKey, int]) -> dict[str, dict[ReceiverKey, int]]:
    owners: dict[str, dict[ReceiverKey, int]] = {}
    for receiver, room in rooms.items():
        owners.setdefault(receiver.owner, {})[receiver] = room
    return owners


def _in_turn(rooms: Mapping[ReceiverKey, int]) -> Iterator[ReceiverKey]:
    """Yield each receiver as often as it has room, in rounds of one."""
    left = {receiver: room for receiver, room in rooms.items() if room > 0}
    while left:
        yield from list(left)
        left = {receiver: room - 1 for receiver, room in left.items() if room > 1}
