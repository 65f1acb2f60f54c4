"""CPU and memory by process, as the kernel counts them."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

import psutil

CHILDREN = "worker's children"
PROCESSES = ("api", "worker", CHILDREN, "projector", "notifier", "kafka", "postgres")
"""The processes of the tables, in their order."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds between two readings. `elsewhere` is the share of the machine used by other processes, 0 to 1."""

    by_process: dict[str, float]
    elsewhere: float


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds so far, by process and of the whole machine, and the monotonic time of the reading."""

    at: float
    by_process: dict[str, float]
    machine: float

    def since(self, before: "Usage", beside: float = 0.0) -> Spent:
        """Return the use since an earlier reading; `beside` is the CPU time of the bench's own processes."""
        by_process = {name: used - before.by_process.get(name, 0.0) for name, used in self.by_process.items()}
        others = self.machine - before.machine - sum(by_process.values()) - beside
        return Spent(by_process, max(0.0, others) / ((self.at - before.at) * (os.cpu_count() or 1)))


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of a process and its descendants: sum of their resident memory (RSS) and of their shares (PSS)."""

    rss: int
    pss: int


@dataclass(frozen=True, slots=True)
class Workforce:
    """Memory of the worker itself, and of its children by process id, the oldest first."""

    worker: Memory
    children: dict[int, Memory]


class Accounts:
    """The processes of a stack. Postgres and the worker's children are several processes each."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}

    def usage(self) -> Usage:
        """Read the CPU time of all processes."""
        used = {name: sum(map(_cpu_s, family)) for name, family in self._families().items()}
        busy = psutil.cpu_times()
        return Usage(time.monotonic(), used, sum(busy) - busy.idle - busy.iowait - busy.guest - busy.guest_nice)

    def memory(self) -> dict[str, int]:
        """Return RSS by process; where there are several processes, the sum of their PSS, as they share pages."""
        families = self._families()
        found = {name: _memory(family) for name, family in families.items()}
        return {name: one.pss if len(families[name]) > 1 else one.rss for name, one in found.items()}

    def workforce(self) -> Workforce:
        """Read the memory of the worker and of each of its children."""
        worker = self._processes["worker"]
        children = sorted(worker.children(), key=lambda child: (child.create_time(), child.pid))
        found = {child.pid: _with_descendants(child) for child in children}
        return Workforce(_memory([worker]), {pid: memory for pid, memory in found.items() if memory.rss})

    def _families(self) -> dict[str, list[psutil.Process]]:
        families = {name: [process] for name, process in self._processes.items() if process.is_running()}
        if worker := families.get("worker"):
            families[CHILDREN] = worker[0].children(recursive=True)
        if postgres := families.get("postgres"):
            postgres += postgres[0].children(recursive=True)
        return {name: families[name] for name in PROCESSES if name in families}


@asynccontextmanager
async def sampled(read: Callable[[], T], every_s: float) -> AsyncIterator[list[T]]:
    """Call `read` repeatedly until the end of the block; yields the list of its results, which grows meanwhile."""
    seen = [read()]

    async def repeat() -> None:
        while True:
            await asyncio.sleep(every_s)
            seen.append(read())

    task = asyncio.create_task(repeat())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.wait([task])
    seen.append(read())
    if not task.cancelled():
        task.result()  # `read` failed


def _cpu_s(process: psutil.Process) -> float:
    """Return the CPU time of a process and of the children that it has waited for."""
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def _with_descendants(process: psutil.Process) -> Memory:
    with suppress(psutil.NoSuchProcess):
        return _memory([process, *process.children(recursive=True)])
    return Memory(0, 0)


def _memory(family: Sequence[psutil.Process]) -> Memory:
    rss = pss = 0
    for one in family:
        with suppress(psutil.NoSuchProcess):
            full = one.memory_full_info()
            rss, pss = rss + full.rss, pss + full.pss
    return Memory(rss, pss)
