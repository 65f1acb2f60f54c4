"""The parts that share one stack: pages, no-op jobs, latency and POSTs, and the memory of the stack.

The first jobs only warm the stack up: a new JVM and new tables are not representative.
"""

from collections.abc import Callable, Collection
from pathlib import Path

from bench.accounts import PROCESSES
from bench.parts import latency, noop, pages, posts
from bench.programs.calls import running
from bench.projected import SQL
from bench.report import MIB, Row, Table, mib
from bench.rig import SLOTS, started

WARM_JOBS = 2000
RATES = ((20.0, 25.0), (50.0, 20.0))  # jobs/s, and for how many seconds
PARTS = {
    "pages": f"PDF pages/s with {SLOTS} processes, and of bare loops over the same files; {pages.ROUNDS} rounds",
    "noop": f"no-op jobs/s without and with a webhook; CPU, log and tables; {noop.ROUNDS} rounds of {noop.JOBS:,} jobs",
    "latency": f"latency at {' and '.join(f'{rate:g}' for rate, _ in RATES)} jobs/s",
    "posts": f"acknowledged POST/s, and of a bare FastAPI app; {posts.ROUNDS} rounds of {posts.COUNT:,}",
}


async def measure(
    data: Path, chosen: Collection[str], pdfs: Path | None, progress: Callable[[str], None]
) -> list[Table]:
    """Run the chosen parts on one stack, in a new folder in `data`."""
    progress("starting a stack")
    async with started(data) as rig, running("bench.programs.receiver") as receiver:
        accounts = rig.accounts()
        before = accounts.memory()
        progress(f"warming up with {WARM_JOBS:,} jobs")
        await noop.burst(rig, WARM_JOBS // 2)
        await noop.burst(rig, WARM_JOBS // 2, receiver)
        await rig.database.execute(SQL["analyze"])  # as autovacuum does after the tables' first minute
        after = accounts.memory()
        rows: list[Row] = []
        costs: list[Table] = []
        for name in (part for part in PARTS if part in chosen):
            progress(PARTS[name])
            if name == "pages":
                rows += await pages.measure(rig, pdfs)
            elif name == "noop":
                noop_rows, costs = await noop.measure(rig, receiver)
                rows += noop_rows
            elif name == "latency":
                rows += [row for rate, seconds in RATES for row in await latency.measure(rig, rate, seconds)]
            else:  # the last part, as it stops services
                rows.append(await posts.measure(rig))
        return [_speed(rows), *costs, _memory(before, after)]


def _speed(rows: list[Row]) -> Table:
    note = (
        f"PDF: {SLOTS} worker processes, documents of {min(pages.LENGTHS)} to {max(pages.LENGTHS)} text pages; bare is "
        "a multiprocessing loop over PyMuPDF's get_text. The processor uses MuPDF's own calls, which are faster. "
        "Jobs/s: from the first POST until the last job is readable as completed and its webhook is answered. Latency: "
        "from when a POST was due until the job's row was committed; “client” until a long poll (`?wait=`) returned. "
        "Rates are the median of several rounds."
    )
    return Table("Speed", ("What", "Measured", "Aim", "Reached", "Detail"), rows, note)


def _memory(before: dict[str, int], after: dict[str, int]) -> Table:
    rows: list[Row] = [
        (name, mib(before[name]), mib(after[name]), f"{(after[name] - before[name]) / MIB:+.0f}") for name in PROCESSES
    ]
    totals = (sum(before.values()), sum(after.values()))
    rows.append(("all", *map(mib, totals), f"{(totals[1] - totals[0]) / MIB:+.0f}"))
    columns = ("Process", "at rest", f"after {WARM_JOBS:,} jobs", "growth")
    note = "Postgres and the worker's children: the sum of their processes' shares (PSS); others: resident memory."
    return Table("Memory, in MiB", columns, rows, note)
