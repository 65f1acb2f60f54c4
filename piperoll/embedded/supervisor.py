"""The supervisor of one part of the stack: restarts it, without a limit, when it ends unexpectedly."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from piperoll.embedded.errors import StackError
from piperoll.embedded.process import Command, ManagedProcess, StackProcess

_POLL_S = 0.1
_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 2.0  # a short delay, so that a repaired part is back soon
_STABLE_S = 10.0  # having run this long, the delay starts from the first again
_STOP_S = 15.0  # a service's time to drain


class ServiceProcess(ManagedProcess):
    """One service as a child process; `start` does not wait until it is ready."""

    def __init__(self, name: str, argv: Sequence[str], log: Path, environment: Callable[[], Mapping[str, str]]) -> None:
        super().__init__(name, _STOP_S)
        self._argv = argv
        self._log = log
        self._environment = environment  # called at each start: the health port may have been taken meanwhile

    async def start(self) -> None:
        """Start the process unless it runs."""
        if not self.running:
            self._process = StackProcess(Command(self._argv, self._environment(), self._log))


class Supervisor:
    """Starts, watches and stops one part. `on_change` is called whenever the process may have changed."""

    def __init__(
        self,
        name: str,
        part: ManagedProcess,
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
        """Start and watch the part; StackError when it does not start."""
        self._wanted = True
        await self._start_once()
        if self._supervise and self._watch is None:
            self._watch = asyncio.create_task(self._watch_part(), name=f"supervise {self.name}")

    async def stop(self) -> None:
        """Stop watching the part, then stop it."""
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

    async def _watch_part(self) -> None:
        delay, stable_since = _FIRST_DELAY_S, time.monotonic()
        while True:
            await asyncio.sleep(_POLL_S)
            if self.part.running:
                if time.monotonic() - stable_since > _STABLE_S:
                    delay = _FIRST_DELAY_S
                continue
            self._on_event(f"{self.name} {_ending(self.part.process)}: restarting it in {delay:.1f} s")
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY_S)
            try:
                await self._start_once()
                if self.part.process is not None and self.part.running:
                    self._on_event(f"{self.name} runs again (process {self.part.process.pid})")
            except StackError as error:
                self._on_event(f"{self.name} could not be restarted: {error}")
            stable_since = time.monotonic()


def _ending(process: StackProcess | None) -> str:
    return f"(process {process.pid}) ended ({process.exit_text})" if process else "never started"
