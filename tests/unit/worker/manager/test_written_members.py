"""The search for members that are in the log keeps ids, not records, whatever the number of batches and records."""

import asyncio
import weakref
from collections.abc import AsyncGenerator
from dataclasses import fields

from piperoll.domain.batch import Batch
from piperoll.log.record import Record
from schemas.ids import member_id
from schemas.topics import JOB_EVENTS, Topic
from services.worker.manager.written_members import MemberSearch
from tests.support.histories.jobs import BEGAN, claim, created, fact
from tests.support.memory_log import MemoryLog

POLL = 100
BATCHES = [f"batch-{number}" for number in range(30)]
MEMBERS = {member_id(batch_id, index): batch_id for batch_id in BATCHES for index in range(10)}


class Traced(Record):
    """A record whose end can be seen."""


class PollingLog(MemoryLog):
    """Makes new records for each scan, as Kafka's client does, and notes how many exist at the same time."""

    def __init__(self) -> None:
        super().__init__(partitions=1)
        self.scans = 0
        self.most = 0
        self._made: list[weakref.ref[Traced]] = []

    @property
    def alive(self) -> int:
        return sum(made() is not None for made in self._made)

    async def scan(
        self, topic: Topic, begin: dict[int, int], end: dict[int, int]
    ) -> AsyncGenerator[list[Record], None]:
        self.scans += 1
        for offset in range(begin[0], end[0], POLL):
            polled = await self.read_range(topic, {0: offset}, {0: min(offset + POLL, end[0])})
            records = [Traced(*(getattr(one, part.name) for part in fields(one))) for one in polled]
            self._made += map(weakref.ref, records)
            self.most = max(self.most, self.alive)
            yield list(records)
            del records, polled


def batch(batch_id: str) -> Batch:
    return Batch(
        batch_id=batch_id,
        owner="acme",
        user_id=None,
        name=None,
        specs=claim("specs"),
        count=10,
        body_sha256="",
        created_at=BEGAN,
        appended_at=BEGAN,
    )


async def test_batches_that_wait_together_hold_one_poll_of_records() -> None:
    log = PollingLog()
    for job_id, batch_id in MEMBERS.items():
        await log.append(JOB_EVENTS, fact(job_id, created(batch_id)))
        for number in range(9):
            await log.append(JOB_EVENTS, fact(f"{job_id}-other-{number}", created()))
    search = MemberSearch(log)
    found = await asyncio.gather(*(search.written(batch(batch_id)) for batch_id in BATCHES))
    assert all(member in found[0].members for member in MEMBERS)
    assert all(len(one.members) == len(MEMBERS) for one in found)
    assert log.scans == 1
    assert log.most <= 2 * POLL
    assert log.alive <= POLL
