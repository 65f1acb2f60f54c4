"""The ids that ended recently, in few bytes each. Pure.

An id is kept as 80 bits of its hash: 13 to 18 bytes instead of 175. Two of 10,000,000 ids collide with a
probability of 1 in 10**10, and only a new id that equals a recent one would be taken for ended.
"""

import sys
from array import array
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import blake2b

DAY_S = 86400
SMALLEST = 16
FULLEST = 0.8  # of the slots: beyond, a search passes many of them
GROWTH = 1.4  # small, so that few slots are empty
ENTRY_BYTES = 10

Entry = tuple[int, int]
"""The first 64 bits of an id's hash, never 0, and the next 16."""


def entry_of(name: str) -> Entry:
    """The entry of an id."""
    digest = blake2b(name.encode(), digest_size=ENTRY_BYTES).digest()
    return int.from_bytes(digest[:8], "little") or 1, int.from_bytes(digest[8:], "little")


class IdSet:
    """A set of ids: a hash table with open addressing, in which an empty slot holds 0."""

    __slots__ = ("_count", "_first", "_second")

    def __init__(self, slots: int = SMALLEST) -> None:
        self._first = array("Q", bytes(8 * slots))
        self._second = array("H", bytes(2 * slots))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Entry]:
        """The entries, in no order."""
        return (entry for entry in zip(self._first, self._second, strict=True) if entry[0])

    def __contains__(self, name: object) -> bool:
        return self.has(entry_of(str(name)))

    def has(self, entry: Entry) -> bool:
        """Whether the set holds an entry."""
        return bool(self._first[self._slot_of(entry)])

    def add(self, name: str) -> None:
        """Add an id."""
        self._put(entry_of(name))

    def _put(self, entry: Entry) -> None:
        if self._count >= FULLEST * len(self._first):
            self._grow()
        slot = self._slot_of(entry)
        if not self._first[slot]:
            self._first[slot], self._second[slot] = entry
            self._count += 1

    def _slot_of(self, entry: Entry) -> int:
        """The slot of the entry, or the empty one in which it belongs."""
        first, second = entry
        slots = self._first
        slot = first % len(slots)
        while (found := slots[slot]) and (found != first or self._second[slot] != second):
            slot = slot + 1 if slot + 1 < len(slots) else 0
        return slot

    def _grow(self) -> None:
        """Move all entries; inline, since it is done more than once for each."""
        size = int(len(self._first) * GROWTH)
        larger = IdSet(size)
        firsts, seconds = larger._first, larger._second
        for first, second in zip(self._first, self._second, strict=True):
            if first:
                slot = first % size
                while firsts[slot]:
                    slot = slot + 1 if slot + 1 < size else 0
                firsts[slot], seconds[slot] = first, second
        self._first, self._second = firsts, seconds

    def dump(self) -> str:
        """The slots as text, little-endian."""
        return b64encode(_little(self._first).tobytes() + _little(self._second).tobytes()).decode()

    @classmethod
    def load(cls, text: str) -> "IdSet":
        """The table of a text of `dump`. Raises ValueError."""
        content = b64decode(text, validate=True)
        slots, rest = divmod(len(content), ENTRY_BYTES)
        if rest or slots < SMALLEST:
            raise ValueError("not a table of ids")
        table = cls(0)
        table._first.frombytes(content[: 8 * slots])
        table._second.frombytes(content[8 * slots :])
        table._first, table._second = _little(table._first), _little(table._second)
        table._count = slots - table._first.count(0)
        if table._count >= slots:
            raise ValueError("a table of ids without an empty slot")
        return table


def _little(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "little":
        return numbers
    turned = array(numbers.typecode, numbers)
    turned.byteswap()
    return turned


class EndedIds:
    """A set of ids with the day on which each ended, so that old ones can be dropped. Not iterable: ids are hashed."""

    def __init__(self, ends: Mapping[str, datetime] | None = None) -> None:
        self._days: dict[int, IdSet] = {}
        for name, at in (ends or {}).items():
            self.add(name, at)

    def __contains__(self, name: object) -> bool:
        if not self._days:
            return False
        entry = entry_of(str(name))
        return any(table.has(entry) for table in self._days.values())

    def __len__(self) -> int:
        return sum(map(len, self._days.values()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EndedIds) or self._days.keys() != other._days.keys():
            return False
        return all(set(table) == set(other._days[day]) for day, table in self._days.items())

    __hash__ = None  # type: ignore[assignment]

    def add(self, name: str, at: datetime) -> None:
        """Add an id that ended at `at`."""
        self._days.setdefault(_day_of(at), IdSet()).add(name)

    def forget(self, before: datetime) -> None:
        """Drop the ids of the days before that of `before`: all that is kept longer is at most a day older."""
        first = _day_of(before)
        if any(day < first for day in self._days):
            self._days = {day: table for day, table in self._days.items() if day >= first}

    def dump(self) -> dict[int, str]:
        """The ids of each day as text; a copy, also when more are added."""
        return {day: table.dump() for day, table in self._days.items()}

    @classmethod
    def load(cls, days: Mapping[int, str]) -> "EndedIds":
        """The ids of a `dump`. Raises ValueError."""
        loaded = cls()
        loaded._days = {day: IdSet.load(text) for day, text in days.items()}
        return loaded


def _day_of(at: datetime) -> int:
    return int(at.timestamp() // DAY_S)
