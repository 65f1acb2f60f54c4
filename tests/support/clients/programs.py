"""Programs of clients, run as processes of their own: their text with only base URL and key changed."""

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
"""By the name of our own equivalent, what the seed's program is known by."""
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
    """A running program and what it has printed so far, its errors included."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said = ""

    async def read(self) -> None:
        """Collects its output until its end."""
        assert self._process.stdout is not None
        while some := await self._process.stdout.read(4096):
            self.said += some.decode(errors="replace")

    async def says(self, pattern: str, timeout: float = 30) -> None:
        """Waits until its output matches."""
        await wait_until(lambda: re.search(pattern, self.said), timeout, f"{pattern!r} to be said in {self.said!r}")

    async def ends(self, timeout: float = 30) -> int:
        """Its exit status."""
        return await asyncio.wait_for(self._process.wait(), timeout)


@asynccontextmanager
async def running(*argv: str | Path) -> AsyncIterator[Program]:
    """Runs a program; at the end of the block it is ended, with what it started."""
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
        with suppress(ProcessLookupError):  # ended, with all that it had started
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        await reading
