"""The state of the installation, part by part. A part that cannot be read is null, and named with the reason.

All requests of KEPT_S share one answer, so that many open pages cost no more than one.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import structlog

from piperoll import verification
from piperoll.clock import Clock
from piperoll.log.contract import LogView
from piperoll.log.topics.groups import Group
from piperoll.store.blobs import AsyncBlobs
from schemas.topics import MANIFEST
from services.api.http.answers import timestamp
from services.api.http.database import for_all_owners
from services.api.system import views
from services.api.system.letters import Letters
from services.api.system.reasons import AWAY, reason_of
from services.api.system.tables import SystemTables
from services.api.system.views import Json

log = structlog.get_logger()

T = TypeVar("T")

KEPT_S = 2.0
PART_S = 4.0  # for each part, side by side

ReadGroups = Callable[[], Awaitable[list[Group]]]
"""Reads the consumer groups. Raises KafkaError and OSError."""


class Overview:
    """Reads the parts side by side. `groups` reads the consumer groups of the log `view`."""

    def __init__(
        self,
        tables: SystemTables,
        groups: ReadGroups,
        view: LogView,
        letters: Letters,
        blobs: AsyncBlobs,
        clock: Clock,
    ) -> None:
        self._tables = tables
        self._groups = groups
        self._view = view
        self._letters = letters
        self._blobs = blobs
        self._clock = clock
        self._reading = asyncio.Lock()
        self._kept: Json = {}
        self._kept_at = -math.inf

    async def now(self) -> Json:
        """Return the state as it was at most KEPT_S ago. Raises nothing while a part is away."""
        async with self._reading:
            if time.monotonic() - self._kept_at >= KEPT_S:
                with for_all_owners():
                    found = await self._read()
                for name in found["unknown"].keys() - self._kept.get("unknown", {}).keys():
                    log.warning("part_became_unknown", part=name, reason=found["unknown"][name])
                self._kept, self._kept_at = found, time.monotonic()
            return self._kept

    def forget(self) -> None:
        """Read the state again at the next request, since it was changed here."""
        self._kept_at = -math.inf

    async def _read(self) -> Json:
        unknown: dict[str, str] = {}
        (queue, apis, receivers, plots), (read, letters, last) = await asyncio.gather(
            asyncio.gather(
                _part(unknown, "queue", self._tables.queue),
                _part(unknown, "api_processes", self._tables.api_instances),
                _part(unknown, "receivers", self._receivers),
                _part(unknown, "plots", self._plots),
            ),
            asyncio.gather(
                _part(unknown, "services", self._read_groups),
                _part(unknown, "dead_letters", self._letters.waiting),
                _part(unknown, "verify", partial(verification.last, self._blobs)),
            ),
        )
        return {
            "at": timestamp(self._clock()),
            "services": None if read is None else views.services(*read, apis, queue),
            "queue": None if queue is None else views.queue(queue),
            "receivers": receivers,
            "dead_letters": None if letters is None else views.letters(*letters),
            "plots": plots,
            "verify": views.verify(last),
            "unknown": unknown,
        }

    async def _receivers(self) -> list[Json]:
        return views.receivers(await self._tables.receivers())

    async def _plots(self) -> Json:
        now = self._clock()
        first = views.first_spans(now)
        return views.plots(await self._tables.ends(first["hour"], first["day"]), now)

    async def _read_groups(self) -> tuple[list[Group], dict[str, dict[int, int]]]:
        """The consumer groups, and the ends of their topics. The ends are read last, so that no lag is below zero."""
        groups = await self._groups()
        return groups, {topic.name: await self._view.end_offsets(topic) for topic in MANIFEST if topic.groups}


async def _part(unknown: dict[str, str], name: str, read: Callable[[], Awaitable[T]]) -> T | None:
    """Return what `read` returns; None, with the reason in `unknown`, while its store is away."""
    try:
        async with asyncio.timeout(PART_S):
            return await read()
    except AWAY as error:
        log.debug("part_unknown", part=name, error=repr(error))
        unknown[name] = reason_of(error)
        return None
