"""Compares the topics with the manifest while a service runs: their settings can be changed at any time."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiokafka.errors import KafkaError

from piperoll.clock import happens_within
from piperoll.log.topics.admin import TopicDriftError, check_topics
from piperoll.settings import Settings

log = structlog.get_logger()

COMPARE_INTERVAL_S = 30.0
CONFIRM_S = 5.0  # a broker that starts answers without some of its topics for a moment


class TopicWatch:
    """The topics as one process sees them. A service refuses drifted topics at its start, and names them from then on.

    It does not end: what is in the log already is as it was, and the remedy needs no restart.
    """

    def __init__(self, settings: Settings, check: Callable[[Settings], Awaitable[list[str]]] = check_topics) -> None:
        self._settings = settings
        self._check = check
        self._suspected = False
        self._problem: str | None = None

    def problem(self) -> str | None:
        """The differences that two comparisons in a row have found, as sentences with the remedy."""
        return self._problem

    async def begin(self) -> None:
        """Compare once. Raises TopicDriftError, which lists all differences, and aiokafka's KafkaError."""
        if found := await self._check(self._settings):
            raise TopicDriftError("; ".join(found))

    async def compare(self) -> None:
        """Compare again. Raises aiokafka's KafkaError, OSError."""
        found = await self._check(self._settings)
        confirmed = "; ".join(found) if found and (self._suspected or self._problem) else None
        if confirmed and not self._problem:
            log.error("topics_drifted", why=confirmed)
        self._suspected, self._problem = bool(found), confirmed

    async def run(self, stopping: asyncio.Event) -> None:
        """Compare until `stopping` is set."""
        while not await happens_within(stopping, CONFIRM_S if self._suspected else COMPARE_INTERVAL_S):
            try:
                await self.compare()
            except (KafkaError, OSError) as error:  # the log's own checks report that it is away
                log.info("topics_not_compared", why=repr(error))
