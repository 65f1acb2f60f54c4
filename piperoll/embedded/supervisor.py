"""Keeps one part of the stack running: whoever ends without being told to is started again, for ever."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from piperoll.embedded.errors import StackError
from piperoll.embedded.process import ChildProcess, Command

_POLL_S = 0.1
_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 2.0  # who repairs the cause should not have to wait for us
_CALM_S = 10.0  # having run this long, the next end is a new misfortune and not the same one
_STOP_S = 15.0  # a service's time to drain


class Part(Protocol):
    """What a keeper keeps: Kafka, Postgres, a service."""

    @property
    def process(self) -> ChildProcess | None:
        """Its latest process."""

    @property
    def running(self) -> bool:
        """Whether that process lives."""

    async def start(self) -> None:
        """Start it; StackError when that fails."""

    async def stop(self) -> None:
        """Stop it in good order."""

    async def kill(self) -> None:
        """End it with SIGKILL."""


class ServiceProcess:
    """One service as a child process; it counts as started as soon as it runs."""

    def __init__(self, name: str, argv: Sequence[str], log: Path, environment: Callable[[], Mapping[str, str]]) -> None:
        self._name = name
        self._argv = argv
        self._log = log
        self._environment = environment  # asked at each start: a health port may have been taken meanwhile
        self._process: ChildProcess | None = None

    @property
    def process(self) -> ChildProcess | None:
        """The latest process, also after its end; None before the first start."""
        return self._process

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.running

    async def start(self) -> None:
        """Start the process unless it runs."""
        if not self.running:
            self._process = ChildProcess(Command(self._argv, self._environment(), self._log))

    async def stop(self) -> None:
        """Ask the process to drain; kill it and its descendants after 15 s."""
        if self._process is not None:
            await self._process.stop(_STOP_S)

    async def kill(self) -> None:
        """End the process with SIGKILL; its descendants must notice by themselves, as after a crash."""
        if self._process is not None:
            await self._process.kill()


class Keeper:
    """Starts, watches and stops one part. `on_change` is told whenever it may have another process."""

    def __init__(
        self,
        name: str,
        part: Part,
        *,
        supervise: bool,
        on_event: Callable[[str], None],
        on_change: Callable[[], None],
    ) -> None:
        self.name = name
        self.part = part
        self._supervise = supervise
        self._on_event = on_event
        self._on_change = on_change
        self._wanted = False
        self._busy = asyncio.Lock()  # a start and a stop of the same part never overlap
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the part and watch it from now on; StackError when it does not start."""
        self._wanted = True
        await self._start_once()
        if self._supervise and self._watch is None:
            self._watch = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def stop(self) -> None:
        """Stop the part and no longer watch it."""
        self._wanted = False
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
            await asyncio.wait([watch])
        async with self._busy:
            await self.part.stop()
            self._on_change()

    async def _start_once(self) -> None:
        async with self._busy:
            if self._wanted and not self.part.running:
                try:
                    await self.part.start()
                finally:
                    self._on_change()

    async def _keep(self) -> None:
        delay, calm_since = _FIRST_DELAY_S, time.monotonic()
        while True:
            await asyncio.sleep(_POLL_S)
            if self.part.running:
                if time.monotonic() - calm_since > _CALM_S:
                    delay = _FIRST_DELAY_S
                continue
            ended = self.part.process.exit_text if self.part.process else "never started"
            self._on_event(f"{self.name} ended ({ended}); starting it again in {delay:.1f} s")
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_S)
            try:
                await self._start_once()
            except StackError as error:
                self._on_event(f"{self.name} could not be started again: {error}")
            calm_since = time.monotonic()
