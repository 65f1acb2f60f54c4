"""Processes that a killed stack may have left: noted while they run, recognised, and stopped, no others."""

import signal
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass

import psutil

from piperoll.embedded.errors import StackError
from piperoll.embedded.process import ChildProcess

_STOP_S = 10.0
# The creation time is reckoned from the machine's boot time, which moves a little when its clock is set.
_CREATED_TOLERANCE_S = 2.0


@dataclass(frozen=True)
class Identity:
    """Enough to know a process again: its id alone is given to others in time. `created` in seconds since 1970."""

    pid: int
    created: float
    argv: list[str]


def identify(process: ChildProcess) -> dict[str, object] | None:
    """Return the identity of a running child as JSON data; None if it has ended."""
    try:
        created = psutil.Process(process.pid).create_time()
    except psutil.NoSuchProcess:
        return None
    return asdict(Identity(process.pid, created, process.argv))


def recognise(noted: Mapping[str, object]) -> psutil.Process | None:
    """Return the running process that `identify` wrote down, or None when it is gone or another has its id."""
    try:
        identity = Identity(**noted)  # type: ignore[arg-type]  # JSON of our own; anything else raises here
        process = psutil.Process(identity.pid)
        same_time = abs(process.create_time() - identity.created) < _CREATED_TOLERANCE_S
        command = process.cmdline()
    except (psutil.NoSuchProcess, TypeError):
        return None
    # A process between fork and exec still shows its tether's line, which ends in its own; a zombie shows
    # none.
    return process if same_time and command[-len(identity.argv) :] == identity.argv else None


def stop_all(noted: Mapping[str, Mapping[str, object]], on_event: Callable[[str], None]) -> None:
    """Stop the processes in `noted` (name to identity) that still run; after 10 s kill them. Blocks.

    Postgres is left out: its own pid file tells more, see `postgres.stop_leftover`. Raises StackError when
    one survives even SIGKILL.
    """
    found = {name: process for name, entry in noted.items() if (process := recognise(entry)) is not None}
    for name, process in found.items():
        on_event(f"stopping {name}, which an earlier run left (process {process.pid})")
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGTERM)
    for process in _survivors(found.values(), _STOP_S):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    for process in _survivors(found.values(), _STOP_S):
        raise StackError(f"process {process.pid} of an earlier run does not end: end it, then try again")


def _survivors(processes: Iterable[psutil.Process], timeout: float) -> list[psutil.Process]:
    """Wait up to `timeout` seconds; psutil.wait_procs would take another's zombie for alive."""
    deadline = time.monotonic() + timeout
    alive = [process for process in processes if _lives(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(0.05)
        alive = [process for process in alive if _lives(process)]
    return alive


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
