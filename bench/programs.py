"""Processes beside the stack: started for one measurement, spoken to in lines of JSON."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

import psutil

from bench.orders import Answer, Order, Posted

LONGEST_LINE = 64 * 1024 * 1024


class ProgramFailedError(RuntimeError):
    """A process of the bench ended with an error; what it printed stands above."""


async def ask(module: str, question: Any) -> Any:
    """What `python -m module` answers to one document on its standard input."""
    process = await _start(module, ())
    try:
        answer, _ = await process.communicate(json.dumps(question).encode())
    finally:
        await _end(process)
    if process.returncode != 0:
        raise ProgramFailedError(f"{module} ended with {process.returncode}")
    return json.loads(answer)


async def generate(order: Order) -> Answer:
    """Has the load generator carry an order out."""
    answer = await ask("bench.generator", asdict(order))
    return Answer(**{**answer, "posted": [Posted(**one) for one in answer["posted"]]})


class Program:
    """A process that goes on answering."""

    def __init__(self, process: asyncio.subprocess.Process, first: Any) -> None:
        self._process = process
        self.first = first

    def cpu_s(self) -> float:
        """CPU seconds that it took so far."""
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def tell(self, line: str) -> None:
        """Sends one line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def hear(self, timeout_s: float = 120.0) -> Any:
        """The next line that it says."""
        return await _line(self._process, timeout_s)


@asynccontextmanager
async def running(module: str, *arguments: str) -> AsyncIterator[Program]:
    """Runs `python -m module`, from its first line of JSON until the end of the block."""
    process = await _start(module, arguments)
    try:
        yield Program(process, await _line(process, 30.0))
    finally:
        await _end(process)


async def _start(module: str, arguments: Sequence[str]) -> asyncio.subprocess.Process:
    """A session of its own, as the stack's processes have: Linux deals the CPU out by session (sched(7), autogroup)."""
    pipe = asyncio.subprocess.PIPE
    argv = (sys.executable, "-m", module, *arguments)
    return await asyncio.create_subprocess_exec(
        *argv, stdin=pipe, stdout=pipe, limit=LONGEST_LINE, start_new_session=True
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    await process.wait()


async def _line(process: asyncio.subprocess.Process, timeout_s: float) -> Any:
    assert process.stdout is not None
    async with asyncio.timeout(timeout_s):
        line = await process.stdout.readline()
    if not line:
        raise ProgramFailedError(f"a process of the bench ended with {await process.wait()}")
    return json.loads(line)
