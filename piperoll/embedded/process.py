"""One child process: tied to its parent, logged to a file, stopped by a signal and then by SIGKILL."""

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

from piperoll.embedded.files import rotate_long_log

_POLL_S = 0.02  # a poll costs one waitpid and needs no thread per child
_TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True)
class SystemAccount:
    """A system user to run a process as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Command:
    """The program by its absolute path, its arguments, and the signal for a graceful stop."""

    argv: Sequence[str]
    env: Mapping[str, str]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    account: SystemAccount | None = None
    cwd: Path | None = None


class StackProcess:
    """A child of this process, in a new session, so that Ctrl-C in the terminal does not reach it.

    Start it in the main thread: the kernel ends the child when the thread that started it ends.
    """

    def __init__(self, command: Command) -> None:
        self._command = command
        rotate_long_log(command.log)
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
        """The process id; not reused before `running` or `wait` has seen the end."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended yet."""
        return self._popen.poll() is None

    @property
    def exit_text(self) -> str:
        """How the process ended: `exit code 1`, `signal SIGKILL`, or `running`."""
        code = self._popen.poll()
        if code is None:
            return "running"
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    @property
    def argv(self) -> list[str]:
        """The command line of the process after exec."""
        return list(self._command.argv)

    def send(self, number: signal.Signals) -> None:
        """Send a signal; no effect if the process has ended."""
        self._popen.send_signal(number)

    async def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the end; return whether the process has ended."""
        deadline = time.monotonic() + timeout
        while self.running:
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(_POLL_S)
        return True

    async def stop(self, timeout: float) -> bool:
        """Send the stop signal; after `timeout` s kill the process and its descendants. Return whether it stopped."""
        self.send(self._command.stop_signal)
        if await self.wait(timeout):
            return True
        await self.kill(with_descendants=True)
        return False

    async def kill(self, *, with_descendants: bool = False) -> None:
        """Kill the process, and optionally its descendants, with SIGKILL and wait for its end."""
        descendants = _descendants(self.pid) if with_descendants else []
        self.send(signal.SIGKILL)
        for descendant in descendants:
            with suppress(psutil.NoSuchProcess):
                descendant.kill()  # psutil checks the creation time, so a reused id is safe
        await self.wait(timeout=10)


class ManagedProcess(ABC):
    """A part of the stack that runs as one child process: Kafka, Postgres, a service. Also a context manager."""

    def __init__(self, name: str, stop_s: float, on_event: Callable[[str], None] = lambda _: None) -> None:
        self._name = name
        self._stop_s = stop_s
        self._on_event = on_event
        self._process: StackProcess | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def process(self) -> StackProcess | None:
        """The latest process, which may have ended; None before the first start."""
        return self._process

    @property
    def running(self) -> bool:
        """Whether the process runs; it may not answer yet."""
        return self._process is not None and self._process.running

    @abstractmethod
    async def start(self) -> None:
        """Start the process unless it runs; StackError when that fails."""

    async def stop(self) -> None:
        """Stop the process with its signal, after `stop_s` s with SIGKILL; no effect if it does not run."""
        if self._process is not None and not await self._process.stop(self._stop_s):
            self._on_event(f"{self._name} did not stop within {self._stop_s:.0f} s and was killed")

    async def kill(self) -> None:
        """Kill the process with SIGKILL but not its descendants, to simulate a crash."""
        if self._process is not None:
            await self._process.kill()


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
