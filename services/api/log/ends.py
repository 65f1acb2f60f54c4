"""Where the log ends, asked once for all who want to know at the same moment."""

import asyncio

from aiokafka.errors import KafkaError

from piperoll.log.contract import Offsets
from schemas.topics import JOB_EVENTS, Topic
from services.api.http.errors import ReadModelUnavailableError


class LogEnds:
    """Shares one look at a topic's end offsets between the requests that came while the last one was under way.

    A look that began before a request came would not see what was appended in between, so it is never used for it:
    an accepted job must not answer 404.
    """

    def __init__(self, log: Offsets, deadline_s: float, topic: Topic = JOB_EVENTS) -> None:
        self._log = log
        self._topic = topic
        self._deadline_s = deadline_s
        self._looking: asyncio.Task[dict[int, int]] | None = None
        self._next: asyncio.Task[dict[int, int]] | None = None

    async def now(self) -> dict[int, int]:
        """The end offsets at some moment after this call. Raises ReadModelUnavailableError while Kafka is away."""
        if self._next is None:
            self._next = asyncio.create_task(self._look_after(self._looking))
        return await asyncio.shield(self._next)

    async def _look_after(self, earlier: asyncio.Task[dict[int, int]] | None) -> dict[int, int]:
        if earlier is not None:
            await asyncio.wait([earlier])
        self._looking, self._next = self._next, None
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._log.end_offsets(self._topic)
        except (KafkaError, OSError, TimeoutError) as error:
            raise ReadModelUnavailableError(
                "whether the read model is complete is unknown at present: Kafka does not answer"
            ) from error
