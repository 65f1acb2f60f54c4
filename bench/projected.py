"""When jobs became readable, without asking: the projector announces each commit by NOTIFY, we write down when.

Afterwards a job's completion, by its place in the log, leads to the first commit that covered it.
"""

import asyncio
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

import asyncpg

from piperoll.postgres import load_queries
from schemas.read_model import POSITIONS_CHANNEL
from schemas.topics import JOB_EVENTS

SQL = load_queries("bench", "queries.sql")
LEAST_RECORDS = 3  # created, started, completed: before so many are projected nobody needs to ask
ASK_S = 0.1


class JobsFailedError(RuntimeError):
    """Some jobs ended otherwise than completed, or not in time."""


class Projected:
    """Listens to the projector's commits."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._offsets: dict[int, list[int]] = defaultdict(list)
        self._times: dict[int, list[float]] = defaultdict(list)
        self._next: dict[int, int] = {}
        self._news = asyncio.Event()

    @classmethod
    async def listen(cls, dsn: str) -> "Projected":
        """Listens from now on."""
        watch = cls(await asyncpg.connect(dsn))
        await watch._connection.add_listener(POSITIONS_CHANNEL, watch._hear)
        for row in await watch._connection.fetch(SQL["positions"], JOB_EVENTS.name):
            watch._next[row["partition"]] = row["next_offset"]
        return watch

    async def close(self) -> None:
        """Stops listening."""
        await self._connection.close()

    @property
    def records(self) -> int:
        """How many records were projected, in all partitions."""
        return sum(self._next.values())

    @property
    def commits(self) -> int:
        """How many commits were heard of."""
        return sum(len(times) for times in self._times.values())

    async def completed(
        self, job_ids: Sequence[str], since: int, timeout_s: float = 120.0, failing: int = 0
    ) -> dict[str, float]:
        """When each job became readable as completed. `since` is `records` before the first was posted.

        Raises JobsFailedError when other than `failing` of them ended otherwise, or some did not end in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                self._news.clear()
                while self.records - since < LEAST_RECORDS * len(job_ids) or not await self._ended(job_ids, failing):
                    await self._news.wait()
                    self._news.clear()
                    await asyncio.sleep(ASK_S)
        except TimeoutError as error:
            raise JobsFailedError(f"some of {len(job_ids)} jobs did not end within {timeout_s:g} s") from error
        rows = await self._connection.fetch(SQL["completions"], job_ids)
        return {row["job_id"]: self._readable(row["partition"], row["log_offset"]) for row in rows}

    async def _ended(self, job_ids: Sequence[str], failing: int) -> bool:
        (row,) = await self._connection.fetch(SQL["ended"], job_ids)
        failed, all_ended = row["ended"] - row["completed"], bool(row["ended"] == len(job_ids))
        if failed > failing or (all_ended and failed < failing):
            raise JobsFailedError(f"{failed} of {len(job_ids)} jobs did not complete; {failing} were to fail")
        return all_ended

    def _readable(self, partition: int, offset: int) -> float:
        """The first commit after which the partition's next offset lay beyond `offset`."""
        return self._times[partition][bisect_right(self._offsets[partition], offset)]

    def _hear(self, connection: object, pid: int, channel: str, payload: object) -> None:
        alias, partition, next_offset = str(payload).split(":")
        if alias != "jobs":
            return
        self._times[int(partition)].append(time.monotonic())
        self._offsets[int(partition)].append(int(next_offset))
        self._next[int(partition)] = int(next_offset)
        self._news.set()
