"""A consumer group that deals out the partitions of a topic, and a member's loop (piperoll.log.consumer)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from piperoll.clock import happens_within
from piperoll.log.contract import Reader
from schemas.topics import Topic

if TYPE_CHECKING:
    from tests.support.simulation.process import Process

MARKER = ("marker", b"")
"""The header of records that no reader is handed, as Kafka's control records: they leave gaps in the offsets."""
LATE_S = 1.0  # between two questions about partitions that the reader has not loaded
LOOK_S = 5.0  # between two looks at the assignment, if nothing happens


class Group:
    """The members of a group, and the partitions of each."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self.members: list[Process] = []
        self.dealt: dict[int, str] = {}

    def deal(self) -> None:
        """Spread the partitions over the living members; most stay where they are (sticky)."""
        names = sorted(member.name for member in self.members if member.in_group)
        if not names:
            return
        fair = -(-self._partitions // len(names))
        load = dict.fromkeys(names, 0)
        for part in range(self._partitions):
            name = self.dealt.get(part, "")
            if load.get(name, fair) >= fair:
                name = min(names, key=lambda one: (load[one], one))
            self.dealt[part] = name
            load[name] += 1

    def shuffle(self) -> None:
        """Give every partition to the next member."""
        names = sorted(member.name for member in self.members if member.in_group)
        for part, owner in self.dealt.items():
            if owner in names:
                self.dealt[part] = names[(names.index(owner) + 1) % len(names)]

    def dealt_to(self, name: str) -> set[int]:
        """The partitions that the group has given to a member."""
        return {part for part, owner in self.dealt.items() if owner == name}


class Consumer:
    """A member of a group that reads its partitions into a Reader."""

    def __init__(
        self,
        process: "Process",
        group: Group,
        topic: Topic,
        reader: Reader,
        check: Callable[[], None] = lambda: None,
        confirm: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._process = process
        self._group = group
        self._topic = topic
        self._reader = reader
        self._check = check
        self._confirm = confirm
        self._wake = process.world.wake_on(topic)
        self.positions: dict[int, int] = {}
        self.late: set[int] = set()
        self.handled = 0
        group.members.append(process)

    async def run(self) -> None:
        """Read until the process stops."""
        process = self._process
        while not process.stopping.is_set():
            await process.online.wait()
            self._wake.clear()
            await self._apply_assignment()
            for part in list(self.positions):
                await self._read(part)
            if self._confirm is not None:
                await self._confirm()
            if not self._wake.is_set():
                await happens_within(self._wake, LATE_S if self.late else LOOK_S)
            await asyncio.sleep(process.chances.uniform(0.02, 0.3))
        await self._reader.revoked(set(self.positions) | self.late)

    async def _apply_assignment(self) -> None:
        process = self._process
        if process.world.loop.time() < process.deaf_until:
            return  # it has not heard of the rebalance, and goes on with what it believes to have
        assigned = self._group.dealt_to(process.name)
        gone, new = (set(self.positions) | self.late) - assigned, assigned - set(self.positions)
        if gone:
            await self._reader.revoked(gone)
            self.positions = {part: offset for part, offset in self.positions.items() if part in assigned}
        if new:
            found: Mapping[int, int] = await self._reader.assigned(new)
            self.positions.update(found)
        self.late = assigned - set(self.positions)

    async def _read(self, part: int) -> None:
        world, begin = self._process.world, self.positions[part]
        end = world.log.end_of(self._topic, part)
        if begin >= end:
            return
        polled = await world.log.read_range(
            self._topic, {part: begin}, {part: end}, self._process.chances.randint(1, 60)
        )
        if end - begin > len(polled):
            self._wake.set()  # more than one poll takes
        if records := [record for record in polled if MARKER not in record.headers]:
            await self._reader.handle(part, records)
            self.positions[part] = records[-1].offset + 1
            self.handled += len(records)
            self._check()
