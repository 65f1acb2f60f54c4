"""The end offsets of the log, read once for all requests that need them at the same time."""

import asyncio
import math

from aiokafka.errors import KafkaError

from piperoll.log.contract import Offsets
from schemas.topics import JOB_EVENTS, Topic
from services.api.http.errors import ReadModelUnavailableError


class LogEnds:
    """Shares one read of a topic's end offsets between all requests that arrive during the previous read.

    A read that began before a request arrived may miss facts that were appended in between, so it does not serve that
    request: an accepted job must not answer 404.
    """

    def __init__(self, log: Offsets, deadline_s: float, topic: Topic = JOB_EVENTS) -> None:
        self._log = log
        self._topic = topic
        self._deadline_s = deadline_s
        self._reading: asyncio.Task[dict[int, int]] | None = None
        self._next: asyncio.Task[dict[int, int]] | None = None
        self._kept: dict[int, int] = {}
        self._kept_at = -math.inf

    async def now(self) -> dict[int, int]:
        """Return the end offsets at a time after this call. Raises ReadModelUnavailableError while Kafka is away."""
        if self._next is None:
            self._next = asyncio.create_task(self._read_after(self._reading))
        return await asyncio.shield(self._next)

    async def recent(self, age_s: float) -> dict[int, int]:
        """Return the end offsets at a time at most `age_s` ago. Raises as `now` does."""
        if asyncio.get_running_loop().time() - self._kept_at > age_s:
            await self.now()
        return self._kept

    async def _read_after(self, earlier: asyncio.Task[dict[int, int]] | None) -> dict[int, int]:
        if earlier is not None:
            await asyncio.wait([earlier])
        self._reading, self._next = self._next, None
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._deadline_s):
                self._kept = await self._log.end_offsets(self._topic)
        except (KafkaError, OSError, TimeoutError) as error:
            raise ReadModelUnavailableError("the read model may be incomplete: Kafka does not answer") from error
        self._kept_at = began
        return self._kept
