"""Whether runs may be claimed: not while a store of the installation does not answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from piperoll.clock import first_of, happens_within, pauses
from piperoll.outages import OUTAGES
from services.worker import metrics

log = structlog.get_logger()

Probe = Callable[[], Awaitable[None]]


class ClaimGate:
    """Closed at the start, and from each fault of the installation, until every probe succeeds.

    `probes` are by the name of what they try; one that raises BlobStoreError or OSError keeps the gate closed.
    """

    def __init__(self, probes: Mapping[str, Probe]) -> None:
        self._probes = probes
        self._closed = asyncio.Event()
        self._why: str | None = None
        self.close("the stores were not tried yet")

    @property
    def open(self) -> bool:
        """Whether runs may be claimed."""
        return self._why is None

    def problem(self) -> str | None:
        """A sentence while nothing is claimed."""
        return None if self._why is None else f"no job is started: {self._why}"

    def close(self, why: str) -> None:
        """Claim nothing until the probes succeed."""
        if self._why is None:
            log.warning("claims_stopped", why=why)
        self._why = why
        self._closed.set()
        metrics.CLAIMING.set(0)

    async def run(self, stopping: asyncio.Event) -> None:
        """Try the stores while the gate is closed, and open it, until `stopping` is set."""
        while True:
            await first_of(self._closed, stopping)
            if stopping.is_set():
                return
            await self._reopen(stopping)

    async def _reopen(self, stopping: asyncio.Event) -> None:
        for pause in pauses():
            self._closed.clear()
            if await self._all_answer() and not self._closed.is_set():
                self._why = None
                metrics.CLAIMING.set(1)
                log.info("claims_allowed")
                return
            if await happens_within(stopping, pause):
                return

    async def _all_answer(self) -> bool:
        for name, probe in self._probes.items():
            try:
                await probe()
            except OUTAGES as error:
                self._why = f"{name} cannot be written ({error})"
                return False
        return True
