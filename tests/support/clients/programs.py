"""Example programs of clients, run as separate processes with only base URL and key changed."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[3]
SEED = ROOT.parent / "shared" / "seeds" / "004_93e760334ea88b8c.txt"
OURS = ROOT / "tests" / "programs"
MARKS = {
    "extraction_monitor.sh": "check_job_status()",
    "job_monitor.py": "class JobMonitor",
    "job_dashboard.js": "class JobDashboard",
    "retry_failed.sh": "retry_failed_jobs()",
    "webhook_handler.js": 'app.post("/webhook/job-status"',
}
"""A text that identifies the program of the seed, by the name of this repository's equivalent."""
SOURCES = ("ours", "the seed's") if SEED.exists() else ("ours",)


def program_text(name: str, source: str, url: str, key: str) -> str:
    """A program that talks to `url` with `key`."""
    text = (OURS / name).read_text(encoding="utf-8") if source == "ours" else _of_the_seed(MARKS[name])
    return text.replace("https://api.devana.ai", url).replace("YOUR_API_KEY", key)


def _of_the_seed(mark: str) -> str:
    blocks = re.findall(r"^```\w+\n(.*?)^```", SEED.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if mark in block]
    return str(found)


class Program:
    """A running program and its output so far, stdout and stderr."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.output = ""

    async def read(self) -> None:
        """Collect the output until the program ends."""
        assert self._process.stdout is not None
        while some := await self._process.stdout.read(4096):
            self.output += some.decode(errors="replace")

    async def prints(self, pattern: str, timeout: float = 30) -> None:
        """Wait until the output matches `pattern`."""
        await wait_until(lambda: re.search(pattern, self.output), timeout, f"{pattern!r} in the output {self.output!r}")

    async def ends(self, timeout: float = 30) -> int:
        """Wait for the end; return the exit status."""
        return await asyncio.wait_for(self._process.wait(), timeout)


@asynccontextmanager
async def running(*argv: str | Path) -> AsyncIterator[Program]:
    """Run a program; the end of the block kills its process group."""
    process = await asyncio.create_subprocess_exec(
        *map(str, argv),
        env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    program = Program(process)
    reading = asyncio.create_task(program.read())
    try:
        yield program
    finally:
        with suppress(ProcessLookupError):  # the whole group has ended
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        await reading
