"""The memory of a worker and of its children over 500 mixed PDFs. It should stay constant."""

from dataclasses import dataclass
from pathlib import Path

from bench.accounts import Workforce, sampled
from bench.parts import mixture
from bench.report import MIB, Table, mib
from bench.rig import SLOTS, started
from piperoll.settings import Settings

POINTS = (50, 100, 200, 300, 400, 500)
SETTLED = 100  # jobs after which each child has processed every kind of document several times
SAMPLE_S = 0.25
TIMEOUT_S = 300.0
COLUMNS = ("Jobs", "worker", "each child", "highest of a child since the last row", "children replaced so far")


@dataclass(frozen=True, slots=True)
class Point:
    """After `jobs` jobs: the memory, the highest RSS of a child since the last point, children replaced so far."""

    jobs: int
    memory: Workforce
    highest: int
    replaced: int

    def children(self) -> int:
        """RSS of all children."""
        return sum(child.rss for child in self.memory.children.values())


async def measure(data: Path) -> Table:
    """Start a stack, whose children are new at the beginning, and run the jobs."""
    async with started(data) as rig:
        files = mixture.make(rig.files)
        rounds = [mixture.jobs(files, seed) for seed in range(POINTS[-1] // sum(mixture.SHARES.values()))]
        jobs = [job for one in rounds for job in one]
        accounts = rig.accounts()
        points = [Point(0, accounts.workforce(), 0, 0)]
        known = set(points[0].memory.children)
        for begin, end in zip((0, *POINTS), POINTS, strict=False):
            chosen = jobs[begin:end]
            order = rig.order("pdf", [job.parameters for job in chosen])
            async with sampled(accounts.workforce, SAMPLE_S) as seen:
                await rig.run(order, TIMEOUT_S, sum(job.fails for job in chosen))
            known |= {pid for one in seen for pid in one.children}
            highest = max(child.rss for one in seen for child in one.children.values())
            points.append(Point(end, seen[-1], highest, len(known) - SLOTS))
        return _table(points, rig.settings)


def _table(points: list[Point], settings: Settings) -> Table:
    rows = [
        (
            f"{point.jobs:,}",
            mib(point.memory.worker.rss),
            " and ".join(mib(child.rss) for child in point.memory.children.values()),
            mib(point.highest) if point.jobs else "",
            str(point.replaced),
        )
        for point in points
    ]
    first, last = next(point for point in points if point.jobs == SETTLED), points[-1]
    worker = (last.memory.worker.rss - first.memory.worker.rss) / MIB
    children = (last.children() - first.children()) / MIB
    limit = settings.job_memory_bytes // 2 // MIB
    note = (
        f"From {first.jobs} to {last.jobs} jobs the worker grew by {worker:+.1f} MiB, its children together by "
        f"{children:+.1f} MiB. {mixture.ABOUT} Settings are the defaults: a child is replaced after "
        f"{settings.child_jobs:,} jobs (PIPEROLL_CHILD_JOBS), or when more than {limit:,} MiB are resident after a job "
        f"(half of PIPEROLL_JOB_MEMORY_BYTES). Highest: of readings every {SAMPLE_S:g} s."
    )
    return Table(f"Memory of a worker over {POINTS[-1]} mixed PDFs, in MiB resident", COLUMNS, rows, note)
