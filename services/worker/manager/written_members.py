"""Finds the members of interrupted batches that are in the log, by one scan for all batches that wait.

Keeps ids only, in few bytes each: there may be many batches, and much of the log may follow them.
"""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field

from piperoll.domain.batch import Batch
from piperoll.domain.ended_ids import IdSet
from piperoll.log.contract import LogView
from piperoll.log.parking import decode_accounted
from piperoll.log.record import Record
from schemas.events import BatchErased, BatchExpanded, JobCreated
from schemas.topics import JOB_EVENTS

CREATED = JobCreated.type_name().rpartition(".")[0]


@dataclass(slots=True)
class WrittenMembers:
    """What a scan found of the batches that shared it: ids of members, and the batches that were expanded or erased."""

    members: IdSet = field(default_factory=IdSet)
    ended_batches: set[str] = field(default_factory=set)


class MemberSearch:
    """Shares a scan between the batches that ask during the previous one."""

    def __init__(self, history: LogView) -> None:
        self._history = history
        self._waiting: list[tuple[Batch, asyncio.Future[WrittenMembers]]] = []
        self._scanning: asyncio.Task[None] | None = None

    async def written(self, batch: Batch) -> WrittenMembers:
        """What is in the log, in any partition; members of other batches may be among it.

        Raises what the log raises, for all that shared the scan.
        """
        answer: asyncio.Future[WrittenMembers] = asyncio.get_running_loop().create_future()
        self._waiting.append((batch, answer))
        if self._scanning is None or self._scanning.done():
            self._scanning = asyncio.create_task(self._scan())
        return await answer

    async def _scan(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, []
            try:
                found = await self._read([batch for batch, _ in asked])
            except Exception as error:  # noqa: BLE001 - raised to each caller
                for _, answer in asked:
                    if not answer.done():
                        answer.set_exception(error)
            else:
                for _, answer in asked:
                    if not answer.done():
                        answer.set_result(found)

    async def _read(self, asked: list[Batch]) -> WrittenMembers:
        """Read from the append of the oldest of the batches on: none has an older member."""
        batch_ids = {batch.batch_id for batch in asked}
        begin = await self._history.offsets_at(JOB_EVENTS, min(batch.appended_at for batch in asked))
        end = await self._history.end_offsets(JOB_EVENTS)
        found = WrittenMembers()
        async with aclosing(self._history.scan(JOB_EVENTS, begin, end)) as polls:
            async for records in polls:
                for record in records:
                    if (member := _member(record, batch_ids)) is not None:
                        found.members.add(member)
                    elif record.key_text in batch_ids and _ends(record):
                        found.ended_batches.add(record.key_text)
        return found


def _ends(record: Record) -> bool:
    """Whether a record of a batch ends its expansion."""
    fact = decode_accounted(record).fact  # the reader of its partition parks one without a fact
    return fact is not None and isinstance(fact.data, BatchExpanded | BatchErased)


def _member(record: Record, batch_ids: set[str]) -> str | None:
    """The id of the member that a record creates, if it is of one of these batches."""
    if record.ce_type.rpartition(".")[0] != CREATED:
        return None
    fact = decode_accounted(record).fact
    if fact is None or not isinstance(fact.data, JobCreated) or fact.data.batch_id not in batch_ids:
        return None
    return fact.subject
