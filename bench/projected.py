"""When jobs became readable, measured without polling: the projector announces each commit by NOTIFY.

The time of each announcement is recorded. Afterwards the log offset of a job's completion leads to the first commit
that includes it.
"""

import asyncio
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

import asyncpg

from piperoll.postgres import load_queries
from schemas.read_model_names import POSITIONS_CHANNEL
from schemas.topics import JOB_EVENTS

SQL = load_queries("bench", "queries.sql")
LEAST_RECORDS = 3  # of a job: created, started, completed; before so many are projected no query is needed
QUERY_S = 0.1


class JobsFailedError(RuntimeError):
    """Some jobs failed, were cancelled, or did not end in time."""


class Projected:
    """Listens to the projector's commits."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._offsets: dict[int, list[int]] = defaultdict(list)
        self._times: dict[int, list[float]] = defaultdict(list)
        self._next: dict[int, int] = {}
        self._commit = asyncio.Event()

    @classmethod
    async def listen(cls, dsn: str) -> "Projected":
        """Connect and listen from now on."""
        listener = cls(await asyncpg.connect(dsn))
        await listener._connection.add_listener(POSITIONS_CHANNEL, listener._committed)
        for row in await listener._connection.fetch(SQL["positions"], JOB_EVENTS.name):
            listener._next[row["partition"]] = row["next_offset"]
        return listener

    async def close(self) -> None:
        """Stop listening."""
        await self._connection.close()

    @property
    def records(self) -> int:
        """The number of projected records, in all partitions."""
        return sum(self._next.values())

    @property
    def commits(self) -> int:
        """The number of commits announced so far."""
        return sum(len(times) for times in self._times.values())

    async def completed(
        self, job_ids: Sequence[str], since: int, timeout_s: float, failing: int = 0
    ) -> dict[str, float]:
        """Wait until all jobs have ended; return when each completed one became readable.

        `since` is `records` before the first was posted. Raises JobsFailedError when not exactly `failing` of them
        ended in another state than completed, or when some did not end in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                self._commit.clear()
                while self.records - since < LEAST_RECORDS * len(job_ids) or not await self._ended(job_ids, failing):
                    await self._commit.wait()
                    self._commit.clear()
                    await asyncio.sleep(QUERY_S)
        except TimeoutError as error:
            raise JobsFailedError(f"some of {len(job_ids)} jobs did not end within {timeout_s:g} s") from error
        rows = await self._connection.fetch(SQL["completions"], job_ids)
        return {row["job_id"]: self._readable(row["partition"], row["log_offset"]) for row in rows}

    async def _ended(self, job_ids: Sequence[str], failing: int) -> bool:
        (row,) = await self._connection.fetch(SQL["ended"], job_ids)
        failed, all_ended = row["ended"] - row["completed"], bool(row["ended"] == len(job_ids))
        if failed > failing or (all_ended and failed < failing):
            raise JobsFailedError(f"{failed} of {len(job_ids)} jobs did not complete; expected were {failing}")
        return all_ended

    def _readable(self, partition: int, offset: int) -> float:
        """Return the time of the first commit whose next offset is beyond `offset`."""
        return self._times[partition][bisect_right(self._offsets[partition], offset)]

    def _committed(self, connection: object, pid: int, channel: str, payload: object) -> None:
        alias, partition, next_offset = str(payload).split(":")
        if alias != "jobs":
            return
        self._times[int(partition)].append(time.monotonic())
        self._offsets[int(partition)].append(int(next_offset))
        self._next[int(partition)] = int(next_offset)
        self._commit.set()
