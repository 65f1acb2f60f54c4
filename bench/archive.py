"""The archive of a document of 1,000 pages, made by a job and streamed over HTTP: speed, and memory meanwhile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from bench import documents
from bench.accounts import MIB, Accounts
from bench.programs import ask, generate
from bench.report import Table
from bench.rig import Rig, started
from bench.samples import sampled
from bench.tables import mib
from services.worker.pages.drawing import PAGE_IMAGE

PAGES = 1000
LINES = 20  # of each page: a full one takes half as long again to draw
SHOWN = (1, 2, 5, 10)  # later downloads show whether what the first one needed is used again
SAMPLE_S = 0.02
TIMEOUT_S = 300.0
SETTINGS = {"PIPEROLL_MAX_PAGES": str(PAGES), "PIPEROLL_SLOTS": "1"}
BESIDE = (".md", ".json")  # in the archive: the text and the results


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes of a process: before, the highest meanwhile, afterwards."""

    before: int
    highest: int
    after: int


async def measure(where: Path | None) -> Table:
    """A job over a document of 1,000 pages with a picture of each, then its archive."""
    async with started(where, SETTINGS) as rig:
        (path,) = documents.make(rig.files, [PAGES], LINES)
        job_id, seconds, child = await _made(rig, path)
        downloads = [await _downloaded(rig, job_id) for _ in range(SHOWN[-1])]
        return _table(seconds, child, downloads)


async def _made(rig: Rig, path: Path) -> tuple[str, float, Memory]:
    """The job, the seconds that it took, and the memory of the child that ran it."""
    records, books = rig.projected.records, rig.accounts()
    order = rig.order("pdf", [{"filename": str(path), "include_images": True, "use_cache": False}])
    async with sampled(lambda: _only_child(books), SAMPLE_S) as seen:
        answer = await generate(order)
        job_id = answer.posted[0].job_id
        readable = await rig.projected.completed([job_id], records, TIMEOUT_S)
    return job_id, readable[job_id] - answer.began, _memory(seen)


async def _downloaded(rig: Rig, job_id: str) -> tuple[dict[str, Any], Memory]:
    """What the client says, and the memory of the API."""
    address = urlsplit(rig.stack.api_url)
    order = {
        "host": address.hostname,
        "port": address.port,
        "key": rig.stack.api_key,
        "path": f"/api/jobs/{job_id}/download-archive",
    }
    async with sampled(_resident(rig.stack.pid("api")), SAMPLE_S) as seen:
        answer = await ask("bench.download", order)
    if answer["files"] != PAGES + len(BESIDE):
        raise RuntimeError(f"the archive has {answer['files']} files instead of {PAGES + len(BESIDE)}")
    return answer, _memory(seen)


def _only_child(books: Accounts) -> int:
    (child,) = books.workforce().children.values()
    return child.rss


def _resident(pid: int) -> Callable[[], int]:
    process = psutil.Process(pid)
    return lambda: int(process.memory_info().rss)


def _memory(seen: list[int]) -> Memory:
    return Memory(seen[0], max(seen), seen[-1])


def _table(seconds: float, child: Memory, downloads: Sequence[tuple[dict[str, Any], Memory]]) -> Table:
    rows: list[Sequence[str]] = [(f"job: {PAGES / seconds:.0f} pages/s", "", f"{seconds:.1f}", "", *_shown(child))]
    for turn in SHOWN:
        answer, api = downloads[turn - 1]
        size = answer["bytes"] / MIB
        rate = f"{size / answer['seconds']:,.0f}"
        rows.append((f"download {turn}", f"{size:,.1f}", f"{answer['seconds']:.1f}", rate, *_shown(api)))
    columns = ("What", "MiB", "seconds", "MiB/s", "memory before", "highest", "afterwards", "growth at most")
    note = (
        f"A text of {PAGES:,} pages with PIPEROLL_MAX_PAGES={PAGES}; the job draws each, {PAGE_IMAGE.side} pixels high "
        f"(include_images). Its archive has {downloads[0][0]['files']:,} files; a client on this machine reads it from "
        f"`download-archive` and keeps nothing. Memory, in MiB resident, is that of the child while the job "
        f"runs, then that of the API while it streams, looked at every {1000 * SAMPLE_S:.0f} ms."
    )
    return Table(f"The archive of {PAGES:,} pages", columns, rows, note)


def _shown(memory: Memory) -> tuple[str, str, str, str]:
    growth = (memory.highest - memory.before) / MIB
    return mib(memory.before), mib(memory.highest), mib(memory.after), f"{growth:+.0f}"
