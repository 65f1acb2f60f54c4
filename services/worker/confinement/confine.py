"""Confines this process: applied once, after its imports and before it reads anything foreign.

Each measure holds where the kernel has it and is named where it does not, so that a worker runs on every machine and
its operator knows what protects it (docs/adr/0030-sandboxes.md).
"""

import os
import resource
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.worker.confinement import account, landlock, libraries, seccomp
from services.worker.confinement.kernel import PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, Architecture, architecture, prctl
from services.worker.run.parent_death import die_with

OWN_PROCESSES: Final = 128
"""Processes and threads of a sandbox with a separate account."""
SHARED_PROCESSES: Final = 1024
"""The same in addition to all others of the account, where it is the worker's: it runs other programs too."""
OPEN_FILES: Final = 1024
THREADS: Final = Path("/proc/self/task")
SELF: Final = Path("/proc/self")


@dataclass(frozen=True, slots=True)
class Reach:
    """What a process may reach: folders to read, folders to write, the internet, folders of programs to start."""

    reads: tuple[Path, ...]
    writes: tuple[Path, ...]
    network: bool
    programs: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure. `essential` ones must hold where `PIPEROLL_SANDBOX` is `require`."""

    name: str
    held: bool
    about: str
    essential: bool = True


def missing(measures: Iterable[Measure]) -> list[str]:
    """The essential measures that do not hold, each with the reason."""
    return [f"{one.name}: {one.about}" for one in measures if one.essential and not one.held]


def confine(reach: Reach, parent: int) -> Sequence[Measure]:
    """Confine this process, a child of `parent`, for good; return what holds. Raises OSError."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    machine = architecture()
    files = _confine_files(reach)
    own = _own_account(machine, reach, files.held and account.can_read_all(account.STATUS.read_text()))
    _limit(own.held)
    prctl(PR_SET_DUMPABLE, 0)
    die_with(parent)  # again: another account ends the order to die with the parent
    calls = _filter_calls(machine, reach.network)
    return (files, _signals(own.held), calls, own)


def _confine_files(reach: Reach) -> Measure:
    abi, threads = landlock.version(), sum(1 for _ in THREADS.iterdir())
    if not abi:
        return Measure("files", False, "the kernel has no Landlock (Linux 5.13 or later, among `lsm=`)")
    if threads > 1:
        return Measure("files", False, f"{threads - 1} threads were started by an import, which Landlock cannot reach")
    try:
        rules = landlock.Ruleset(abi, reach.network)
        rules.allow((*libraries.readable(), *reach.programs), landlock.READ | landlock.EXECUTE)
        rules.allow((*reach.reads, SELF), landlock.READ)
        rules.allow(libraries.DEVICES, landlock.READ_FILE | landlock.WRITE_FILE)
        rules.allow(reach.writes, landlock.WRITE)
        os.open(SELF, os.O_PATH)  # stays open: the kernel makes another object of a folder of /proc that it forgot
        rules.apply()
    except OSError as error:
        return Measure("files", False, f"the kernel refuses Landlock's rules ({error.strerror})")
    return Measure("files", True, f"Landlock {abi}: the run's own, the libraries, and the folders that jobs may name")


def _signals(own_account: bool) -> Measure:
    if own_account:
        return Measure("signals", True, "no process of another account can be signalled", essential=False)
    if landlock.version() >= landlock.SINCE_SCOPES:
        return Measure("signals", True, "Landlock: none to processes outside", essential=False)
    return Measure("signals", False, "needs Linux 6.12, or a worker that is root", essential=False)


def _own_account(machine: Architecture | None, reach: Reach, reads_all: bool) -> Measure:
    is_root = os.geteuid() == 0
    needed = (*libraries.readable(), *reach.reads)
    why = "the processor is unknown" if machine is None else account.refusal(reads_all, needed)
    if why is not None or machine is None:
        if is_root and machine is not None:
            account.drop_powers(machine)
        return Measure("account", False, f"the worker's own: {why}", essential=is_root)
    account.change(machine, reach.writes, reads_all)
    return Measure("account", True, "a separate user id, so that its processes can be counted")


def _filter_calls(machine: Architecture | None, network: bool) -> Measure:
    if machine is None:
        return Measure("system calls", False, "only the processors x86_64 and aarch64 are known")
    try:
        seccomp.install(machine, network)
    except OSError as error:
        return Measure("system calls", False, f"the kernel has no filter of system calls ({error.strerror})")
    return Measure("system calls", True, "none that reach other processes; sockets only for jobs that fetch")


def _limit(own_account: bool) -> None:
    most = OWN_PROCESSES if own_account else SHARED_PROCESSES + _tasks_of_account()
    for limit, value in (
        (resource.RLIMIT_NPROC, most),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


def _tasks_of_account() -> int:
    """The processes and threads of this account, which the kernel counts together (setrlimit(2))."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == os.getuid():
                found += sum(1 for _ in (process / "task").iterdir())
        except OSError:
            continue  # it has ended, or /proc hides it
    return found
