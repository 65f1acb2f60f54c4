"""Start the programs of this folder; they exchange lines of JSON with the measuring process."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from bench.programs.orders import Answer, Order, Posted

LONGEST_LINE = 64 * 1024 * 1024


class ProgramFailedError(RuntimeError):
    """A process of the bench failed; its output is on the terminal."""


async def ask(module: str, question: Any) -> Any:
    """Run `python -m module` with JSON on its standard input, and return the JSON that it prints."""
    process = await _start(module, ())
    try:
        answer, _ = await process.communicate(json.dumps(question).encode())
    finally:
        await _end(process)
    if process.returncode != 0:
        raise ProgramFailedError(f"{module} ended with {process.returncode}")
    return json.loads(answer)


async def generate(order: Order) -> Answer:
    """Let the load generator execute an order."""
    answer = await ask("bench.programs.generator", asdict(order))
    return Answer(**{**answer, "posted": [Posted(**one) for one in answer["posted"]]})


class Program:
    """A process that stays; `first` is the first line that it printed."""

    def __init__(self, process: asyncio.subprocess.Process, first: Any) -> None:
        self._process = process
        self.first = first

    def send(self, line: str) -> None:
        """Send one line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def receive(self, timeout_s: float = 120.0) -> Any:
        """Return its next line."""
        return await _line(self._process, timeout_s)


@asynccontextmanager
async def running(module: str, *arguments: str) -> AsyncIterator[Program]:
    """Run `python -m module`, from its first line of JSON until the end of the block."""
    process = await _start(module, arguments)
    try:
        yield Program(process, await _line(process, 30.0))
    finally:
        await _end(process)


async def _start(module: str, arguments: Sequence[str]) -> asyncio.subprocess.Process:
    """Start in a new session, as the stack's processes: Linux shares the CPU among sessions (sched(7), autogroup)."""
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
