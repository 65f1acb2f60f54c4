"""The memory of a worker and of its children over 500 mixed PDFs. It is to stay flat."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import mixture
from bench.accounts import MIB, Workforce
from bench.mixture import Job
from bench.programs import generate
from bench.report import Table
from bench.rig import SLOTS, Rig, started
from bench.samples import sampled
from bench.tables import mib
from piperoll.settings import Settings

POINTS = (50, 100, 200, 300, 400, 500)
GROWN_UP = 100  # jobs after which every kind of document was met several times by each child
SAMPLE_S = 0.25
TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Point:
    """After so many jobs: what is resident now, the highest of one child since the last point, children replaced."""

    jobs: int
    now: Workforce
    highest: int
    replaced: int


async def measure(where: Path | None) -> Table:
    """A stack of its own, whose children are young at the beginning."""
    async with started(where) as rig:
        files = mixture.make(rig.files)
        rounds = [mixture.jobs(files, seed) for seed in range(POINTS[-1] // sum(mixture.SHARES.values()))]
        every = [job for one in rounds for job in one]
        books = rig.accounts()
        points = [Point(0, books.workforce(), 0, 0)]
        known = set(points[0].now.children)
        for begin, end in zip((0, *POINTS), POINTS, strict=False):
            async with sampled(books.workforce, SAMPLE_S) as seen:
                await _run(rig, every[begin:end])
            known |= {pid for one in seen for pid in one.children}
            highest = max(child.rss for one in seen for child in one.children.values())
            points.append(Point(end, seen[-1], highest, len(known) - SLOTS))
        return _table(points, rig.settings)


async def _run(rig: Rig, jobs: Sequence[Job]) -> None:
    records = rig.projected.records
    answer = await generate(rig.order("pdf", [job.parameters for job in jobs]))
    failing = sum(job.fails for job in jobs)
    await rig.projected.completed([one.job_id for one in answer.posted], records, TIMEOUT_S, failing)


def _table(points: list[Point], settings: Settings) -> Table:
    rows: list[Sequence[str]] = [
        (
            f"{point.jobs:,}",
            mib(point.now.worker.rss),
            " and ".join(mib(child.rss) for child in point.now.children.values()),
            mib(point.highest) if point.jobs else "",
            str(point.replaced),
        )
        for point in points
    ]
    columns = ("Jobs", "worker", "each child", "highest of a child meanwhile", "children replaced so far")
    limit = settings.job_memory_bytes // 2 // MIB
    note = (
        f"{_growth(points)} {mixture.ABOUT} Settings are the defaults: a child is replaced after "
        f"{settings.child_jobs:,} jobs (PIPEROLL_CHILD_JOBS), or when more than {limit:,} MiB are resident after a job "
        f"(half of PIPEROLL_JOB_MEMORY_BYTES). Highest: seen every {SAMPLE_S:g} s."
    )
    return Table("Memory of a worker over 500 mixed PDFs, in MiB resident", columns, rows, note)


def _growth(points: list[Point]) -> str:
    """What was added once the children had met every kind of document."""
    first = next(point for point in points if point.jobs == GROWN_UP)
    last = points[-1]
    worker = (last.now.worker.rss - first.now.worker.rss) / MIB
    children = (_children(last) - _children(first)) / MIB
    return (
        f"From {first.jobs} to {last.jobs} jobs: the worker {worker:+.1f} MiB, its children together {children:+.1f}."
    )


def _children(point: Point) -> int:
    return sum(child.rss for child in point.now.children.values())
