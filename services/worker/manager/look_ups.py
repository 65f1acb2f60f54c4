"""Looks ids up in the whole of their partition, whose older ends no worker keeps in memory.

A creation that the API could not compare with the read model may repeat a job that ended long ago, which every reader
with the whole history ignores. The worker must too, so it reads the partition for such ids, once for all that wait.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from piperoll.clock import pauses
from piperoll.domain import batch as batches
from piperoll.domain import job as jobs
from piperoll.domain.batch import Batch
from piperoll.domain.job import Job
from piperoll.log.contract import LogView
from piperoll.log.parking import Parking, decode_accounted
from schemas.envelope import Fact
from schemas.events import BATCH_EVENTS
from schemas.topics import JOB_EVENTS

log = structlog.get_logger()


@dataclass(slots=True)
class Past:
    """The fold of all facts about one id."""

    job: Job | None = None
    batch: Batch | None = None

    def fold(self, fact: Fact) -> None:
        """Add a fact."""
        if isinstance(fact.data, BATCH_EVENTS):
            self.batch = batches.evolve(self.batch, fact)
        else:
            self.job = jobs.evolve(self.job, fact)

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do: the job ended, or the batch was expanded."""
        if self.batch is not None:
            return self.batch.expanded or self.batch.erased
        return self.job is not None and self.job.status.terminal

    @property
    def erased(self) -> bool:
        """Whether the content must not exist."""
        found = self.batch or self.job
        return found is not None and found.erased


OnAnswer = Callable[[int, str, Past], None]
"""Called with the partition, the id, and its past."""


class LookUps:
    """One scan a partition at a time; ids that are asked for meanwhile wait for the next one."""

    def __init__(self, history: LogView, on_answer: OnAnswer) -> None:
        self._history = history
        self._on_answer = on_answer
        self._asked: defaultdict[int, set[str]] = defaultdict(set)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._problem: str | None = None

    def problem(self) -> str | None:
        """A sentence while the log cannot be read."""
        return self._problem if self._tasks else None

    def ask(self, partition: int, subject: str) -> None:
        """Look an id of an assigned partition up; the answer follows, however long the log is unavailable."""
        self._asked[partition].add(subject)
        if partition not in self._tasks:
            self._tasks[partition] = asyncio.create_task(self._work(partition))

    def stop(self, partitions: set[int]) -> None:
        """Forget what revoked partitions asked for; their next owner asks again."""
        for part in partitions:
            self._asked.pop(part, None)
            if (task := self._tasks.pop(part, None)) is not None:
                task.cancel()

    async def _work(self, partition: int) -> None:
        while asked := self._asked.pop(partition, None):
            pasts = await self._outlast(partition, asked)
            for subject in sorted(asked):
                self._on_answer(partition, subject, pasts[subject])
        del self._tasks[partition]

    async def _outlast(self, partition: int, asked: set[str]) -> dict[str, Past]:
        for pause in pauses():
            try:
                pasts = await self._read(partition, asked)
            except Exception as error:  # noqa: BLE001 - whatever it is, the ids wait, and readiness shows it
                self._problem = f"{len(asked)} creations of partition {partition} cannot be looked up: {error!r}"
                log.warning("look_up_failed", partition=partition, ids=len(asked), error=repr(error), next_try_s=pause)
                await asyncio.sleep(pause)
            else:
                self._problem = None
                return pasts
        raise AssertionError("pauses never end")

    async def _read(self, partition: int, asked: set[str]) -> dict[str, Past]:
        pasts = {subject: Past() for subject in asked}
        keys = {subject.encode() for subject in asked}
        begins, ends = await self._history.begin_offsets(JOB_EVENTS), await self._history.end_offsets(JOB_EVENTS)
        scan = self._history.scan(JOB_EVENTS, {partition: begins[partition]}, {partition: ends[partition]})
        parking = Parking()  # the partition's reader sends the dead letters
        async with aclosing(scan) as polls:
            async for records in polls:
                for fact, _ in parking.sift(decode_accounted(record) for record in records if record.key in keys):
                    pasts[fact.subject].fold(fact)
                parking.letters.clear()
        log.info("ids_looked_up", partition=partition, ids=len(asked), records=ends[partition] - begins[partition])
        return pasts
