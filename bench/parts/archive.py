"""The archive of a document of 1,000 pages, made by a job and streamed over HTTP: speed, and memory meanwhile."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from bench import documents
from bench.accounts import Accounts, sampled
from bench.programs.calls import ask
from bench.report import MIB, Row, Table, mib
from bench.rig import Rig, started
from services.worker.pages.drawing import PAGE_IMAGE

PAGES = 1000
LINES = 20  # of each page: a full page takes half as long again to draw
SHOWN = (1, 2, 5, 10)  # later downloads show whether the memory of the first one is reused
SAMPLE_S = 0.02
TIMEOUT_S = 300.0
SETTINGS = {"PIPEROLL_MAX_PAGES": str(PAGES), "PIPEROLL_SLOTS": "1"}
FILES = PAGES + 2  # pictures, the text, the results
COLUMNS = ("What", "MiB", "seconds", "MiB/s", "memory before", "highest", "afterwards", "highest growth")


async def measure(data: Path) -> Table:
    """Run a job that draws each page of a document, then download its archive several times."""
    async with started(data, SETTINGS) as rig:
        (path,) = documents.texts(rig.files, [PAGES], LINES)
        job_id, row = await _job(rig, path)
        downloads = [await _download(rig, job_id, number) for number in range(1, SHOWN[-1] + 1)]
    note = (
        f"A text of {PAGES:,} pages with PIPEROLL_MAX_PAGES={PAGES}; the job draws each, {PAGE_IMAGE.side} pixels high "
        f"(include_images). Its archive has {FILES:,} files; a client on this machine reads it from "
        f"`download-archive` and discards it. Memory is resident memory in MiB, read every {1000 * SAMPLE_S:.0f} ms: "
        "of the child while the job runs, then of the API while it streams."
    )
    return Table(f"The archive of {PAGES:,} pages", COLUMNS, [row, *(downloads[n - 1] for n in SHOWN)], note)


async def _job(rig: Rig, path: Path) -> tuple[str, Row]:
    accounts = rig.accounts()
    order = rig.order("pdf", [{"filename": str(path), "include_images": True, "use_cache": False}])
    async with sampled(lambda: _only_child(accounts), SAMPLE_S) as seen:
        run = await rig.run(order, TIMEOUT_S)
    row = (f"job: {PAGES / run.seconds:.0f} pages/s", "", f"{run.seconds:.1f}", "", *_memory(seen))
    return run.answer.posted[0].job_id, row


async def _download(rig: Rig, job_id: str, number: int) -> Row:
    address = urlsplit(rig.stack.api_url)
    order = {
        "host": address.hostname,
        "port": address.port,
        "key": rig.stack.api_key,
        "path": f"/api/jobs/{job_id}/download-archive",
    }
    api = psutil.Process(rig.stack.pid("api"))
    async with sampled(lambda: int(api.memory_info().rss), SAMPLE_S) as seen:
        answer: dict[str, Any] = await ask("bench.programs.download", order)
    if answer["files"] != FILES:
        raise RuntimeError(f"the archive has {answer['files']} files instead of {FILES}")
    size, seconds = answer["bytes"] / MIB, answer["seconds"]
    return f"download {number}", f"{size:,.1f}", f"{seconds:.1f}", f"{size / seconds:,.0f}", *_memory(seen)


def _only_child(accounts: Accounts) -> int:
    (child,) = accounts.workforce().children.values()
    return child.rss


def _memory(seen: list[int]) -> tuple[str, str, str, str]:
    return mib(seen[0]), mib(max(seen)), mib(seen[-1]), f"{(max(seen) - seen[0]) / MIB:+.0f}"
