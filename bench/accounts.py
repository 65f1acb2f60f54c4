"""CPU and memory by process, as the kernel accounts them."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import psutil

MIB = 1024 * 1024
CHILDREN = "worker's children"
OURS = ("api", "worker", CHILDREN, "projector", "notifier", "kafka", "postgres")
"""Who is accounted for, in the order of the tables."""


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds so far: by process, of the whole machine (busy), and when that was."""

    at: float
    by_process: dict[str, float]
    machine: float


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds between two looks. `elsewhere` is the share of the machine that nobody of ours used, 0 to 1."""

    by_process: dict[str, float]
    elsewhere: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes of a process and of those it started: each one's whole, and their shares (PSS)."""

    rss: int
    pss: int


@dataclass(frozen=True, slots=True)
class Workforce:
    """The worker itself, and its children by process id, the oldest first."""

    worker: Memory
    children: dict[int, Memory]


class Accounts:
    """The processes of a stack. Postgres, and the worker's children, are families of processes."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}

    def usage(self) -> Usage:
        """What everybody has used so far."""
        used = {}
        for name, family in self._families().items():
            used[name] = sum(_cpu_s(one) for one in family)
        busy = psutil.cpu_times()
        return Usage(time.monotonic(), used, sum(busy) - busy.idle - busy.iowait - busy.guest - busy.guest_nice)

    def memory(self) -> dict[str, int]:
        """Resident bytes of each process; of a family the sum of the shares (PSS), as its members share pages."""
        found = {}
        for name, family in self._families().items():
            found[name] = _resident(family)
        return found

    def workforce(self) -> Workforce:
        """Memory of the worker and of each of its children."""
        worker = self._processes["worker"]
        children = sorted(worker.children(), key=lambda child: (child.create_time(), child.pid))
        found = {child.pid: _family_memory(child) for child in children}
        return Workforce(_memory([worker]), {pid: memory for pid, memory in found.items() if memory.rss})

    def _families(self) -> dict[str, list[psutil.Process]]:
        families = {name: [process] for name, process in self._processes.items() if process.is_running()}
        if worker := families.get("worker"):
            families[CHILDREN] = worker[0].children(recursive=True)
        if postgres := families.get("postgres"):
            postgres += postgres[0].children(recursive=True)
        return {name: families[name] for name in OURS if name in families}


def spent(before: Usage, after: Usage, beside: float = 0.0) -> Spent:
    """What was used between two looks; `beside` is the CPU that the bench itself took."""
    by_process = {name: used - before.by_process.get(name, 0.0) for name, used in after.by_process.items()}
    machine = after.machine - before.machine
    capacity = (after.at - before.at) * (os.cpu_count() or 1)
    return Spent(by_process, max(0.0, machine - sum(by_process.values()) - beside) / capacity)


def _cpu_s(process: psutil.Process) -> float:
    """Its own time and that of the children it has waited for."""
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def _family_memory(process: psutil.Process) -> Memory:
    with suppress(psutil.NoSuchProcess):
        return _memory([process, *process.children(recursive=True)])
    return Memory(0, 0)


def _memory(family: Iterable[psutil.Process]) -> Memory:
    rss = pss = 0
    for one in family:
        with suppress(psutil.NoSuchProcess):
            full = one.memory_full_info()
            rss, pss = rss + full.rss, pss + full.pss
    return Memory(rss, pss)


def _resident(family: Iterable[psutil.Process]) -> int:
    members = list(family)
    if len(members) == 1:
        return int(members[0].memory_info().rss)
    total = 0
    for one in members:
        with suppress(psutil.NoSuchProcess):
            total += one.memory_full_info().pss
    return total
