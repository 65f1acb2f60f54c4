"""Orphaned processes of a killed stack: identified by what stack.json recorded, and stopped."""

import signal
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass

import psutil

from piperoll.embedded.errors import StackError
from piperoll.embedded.process import StackProcess

_STOP_S = 10.0
# The creation time is computed from the boot time, which shifts a little when the clock is set.
_CREATED_TOLERANCE_S = 2.0


@dataclass(frozen=True)
class Identity:
    """Identifies a process even after its id was reused. `created` in seconds since 1970."""

    pid: int
    created: float
    argv: list[str]


def identify(process: StackProcess) -> dict[str, object] | None:
    """Return the identity of a running child as JSON data; None if it has ended."""
    try:
        created = psutil.Process(process.pid).create_time()
    except psutil.NoSuchProcess:
        return None
    return asdict(Identity(process.pid, created, process.argv))


def find_running(recorded: Mapping[str, object]) -> psutil.Process | None:
    """Return the running process with the recorded identity, or None when it has ended."""
    try:
        identity = Identity(**recorded)  # type: ignore[arg-type]  # JSON of `identify`; other JSON raises TypeError
        process = psutil.Process(identity.pid)
        same_time = abs(process.create_time() - identity.created) < _CREATED_TOLERANCE_S
        command = process.cmdline()
    except (psutil.NoSuchProcess, TypeError):
        return None
    # Before exec, a process shows the tether's command line, which ends with its own; a zombie shows none.
    return process if same_time and command[-len(identity.argv) :] == identity.argv else None


def stop_all(recorded: Mapping[str, Mapping[str, object]], on_event: Callable[[str], None]) -> None:
    """Stop the processes in `recorded` (name to identity), except Postgres. Blocks. Raises StackError."""
    found = {name: process for name, entry in recorded.items() if (process := find_running(entry)) is not None}
    for name, process in found.items():
        on_event(f"stopping {name}, left by an earlier run (process {process.pid})")
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGTERM)
    for process in _survivors(found.values(), _STOP_S):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    for process in _survivors(found.values(), _STOP_S):
        raise StackError(f"process {process.pid} of an earlier run does not end: end it, then try again")


def _survivors(processes: Iterable[psutil.Process], timeout: float) -> list[psutil.Process]:
    """Wait up to `timeout` seconds; psutil.wait_procs counts a zombie of another parent as alive."""
    deadline = time.monotonic() + timeout
    alive = [process for process in processes if _is_alive(process)]
    while alive and time.monotonic() < deadline:
        time.sleep(0.05)
        alive = [process for process in alive if _is_alive(process)]
    return alive


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
