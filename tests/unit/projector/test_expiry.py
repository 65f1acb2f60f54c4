"""What the log no longer holds is deleted in pieces, between polls, and an outage loses none of the progress."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from schemas.topics import JOB_DELIVERIES, JOB_EVENTS
from services.projector.database.session import Session
from services.projector.readers.expiry import PIECE, Expiry
from tests.support.memory_log import MemoryLog


class Server:
    """Old rows by partition, and whether the server answers."""

    def __init__(self, **old: int) -> None:
        self.old = {int(name.removeprefix("part_")): rows for name, rows in old.items()}
        self.away = False
        self.longest = 0

    async def once(self, work: Callable[[Any], Awaitable[int]]) -> int:
        if self.away:
            raise ConnectionRefusedError("the server is away")
        return await work(self)

    async def fetchval(self, statement: str, partition: int, before: int, limit: int) -> int:
        gone = min(limit, self.old.get(partition, 0))
        self.old[partition] = self.old.get(partition, 0) - gone
        self.longest = max(self.longest, gone)
        return gone


def expiry(server: Server, statement: str | None = "DELETE") -> Expiry:
    return Expiry(cast(Session, server), MemoryLog(), JOB_DELIVERIES, statement)


async def test_no_step_deletes_more_than_a_piece_and_enough_steps_delete_all() -> None:
    server = Server(part_0=2 * PIECE + 1, part_1=1)
    one = expiry(server)
    await one.step({0, 1})
    assert server.old == {0: PIECE + 1, 1: 1}
    for _ in range(3):
        await one.step({0, 1})
    assert (server.old, server.longest) == ({0: 0, 1: 0}, PIECE)


async def test_an_outage_puts_off_the_next_piece_alone() -> None:
    server = Server(part_0=2 * PIECE)
    one = expiry(server)
    await one.step({0})
    server.away = True
    await one.step({0})
    assert server.old == {0: PIECE}
    server.away = False
    await one.step({0})
    assert server.old == {0: 0}


async def test_a_partition_that_went_to_another_process_is_left_to_it() -> None:
    server = Server(part_0=2 * PIECE, part_1=1)
    one = expiry(server)
    await one.step({0, 1})
    await one.step({1})
    assert server.old == {0: PIECE, 1: 0}


async def test_what_was_done_begins_again_only_after_its_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    one = expiry(server)
    await one.step({0})
    server.old[0] = 1
    await one.step({0})
    assert server.old == {0: 1}
    monkeypatch.setattr("services.projector.readers.expiry.EXPIRE_EVERY_S", -1.0)
    for _ in range(2):
        one._due_at = 0.0
        await one.step({0})
    assert server.old == {0: 0}


async def test_a_topic_that_keeps_all_has_no_expiry() -> None:
    server = Server(part_0=1)
    await Expiry(cast(Session, server), MemoryLog(), JOB_EVENTS, None).step({0})
    assert server.old == {0: 1}
