"""One child process: tied to its parent, logged to a file, asked to stop and then made to."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

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


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
