"""One child process: tied to its parent, logged to a file, asked to stop and then made to."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from piperoll.embedded.files import set_aside_long_log

_POLL_S = 0.02  # a poll costs one waitpid; a waiting thread for each child would be harder to get right
_TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True)
class Account:
    """A system user to run a process as: numbers, since not every account we borrow has a home or a shell."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Command:
    """What to run: a program by its absolute path, its arguments, and how it is told to end in good order."""

    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    account: Account | None = None
    cwd: Path | None = None


class ChildProcess:
    """A running child of this process. It is in a session of its own: Ctrl-C in the terminal reaches only us.

    Start it in the thread that lives longest: the child is ended when the thread that started it ends.
    """

    def __init__(self, command: Command) -> None:
        self._command = command
        set_aside_long_log(command.log)
        account = command.account
        tether = [
            sys.executable,
            "-I",
            "-S",
            str(_TETHER),
            str(os.getpid()),
            str(command.stop_signal.value),
            str(account.uid) if account else "-",
            str(account.gid) if account else "-",
        ]
        with command.log.open("ab") as log:
            self._popen = subprocess.Popen(
                [*tether, *command.argv],
                env=dict(command.env),
                cwd=command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id; it stays reserved until the exit was seen by `running` or `wait`."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended yet."""
        return self._popen.poll() is None

    @property
    def exit_text(self) -> str:
        """How it ended, for a person: `exit code 1`, `signal SIGKILL`, or `running`."""
        code = self._popen.poll()
        if code is None:
            return "running"
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    @property
    def argv(self) -> list[str]:
        """The command line that the process shows once it is itself."""
        return list(self._command.argv)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if the process has ended."""
        self._popen.send_signal(number)

    async def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the end; tell whether it came."""
        deadline = time.monotonic() + timeout
        while self.running:
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(_POLL_S)
        return True

    async def stop(self, timeout: float) -> bool:
        """Ask the process to stop; after `timeout` s kill it and its descendants. Tell whether it obeyed."""
        self.send(self._command.stop_signal)
        if await self.wait(timeout):
            return True
        await self.kill(with_descendants=True)
        return False

    async def kill(self, *, with_descendants: bool = False) -> None:
        """End the process with SIGKILL and wait for its end; its descendants too when asked."""
        family = _descendants(self.pid) if with_descendants else []
        self.send(signal.SIGKILL)
        for relative in family:
            with suppress(psutil.NoSuchProcess):
                relative.kill()  # psutil compares the creation time first: never a stranger with the same id
        await self.wait(timeout=10)


class ManagedProcess(ABC):
    """A part of the stack that runs as one child process: Kafka, Postgres, a service. Also a context manager."""

    def __init__(self, name: str, stop_s: float, on_event: Callable[[str], None] = lambda _: None) -> None:
        self._name = name
        self._stop_s = stop_s
        self._on_event = on_event
        self._process: ChildProcess | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def process(self) -> ChildProcess | None:
        """The latest process, also after its end; None before the first start."""
        return self._process

    @property
    def running(self) -> bool:
        """Whether the process lives; it may not answer yet."""
        return self._process is not None and self._process.running

    @abstractmethod
    async def start(self) -> None:
        """Start the process unless it runs; StackError when that fails."""

    async def stop(self) -> None:
        """Stop the process in good order, by force after `stop_s` seconds; nothing happens if it does not run."""
        if self._process is not None and not await self._process.stop(self._stop_s):
            self._on_event(f"{self._name} did not stop within {self._stop_s:.0f} s and was killed")

    async def kill(self) -> None:
        """End the process with SIGKILL, as a crash would; its descendants must notice by themselves."""
        if self._process is not None:
            await self._process.kill()


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
