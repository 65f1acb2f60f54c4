"""The parts that share one stack: pages, no-op jobs, latency and POSTs.

The first jobs only warm things up: a fresh JVM and fresh tables tell nothing.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from bench import costs, latency, noop, pages, posts, tables
from bench.programs import Program, running
from bench.report import Table
from bench.rig import Rig, started
from piperoll.log.kafka import KafkaOffsets

PARTS = ("pages", "noop", "latency", "posts")
JOBS = 1500  # of one burst: three seconds
ROUNDS = 3
RATES = ((20.0, 25.0), (50.0, 20.0))  # jobs a second, for how many seconds

Say = Callable[[str], None]


async def measure(where: Path | None, chosen: Collection[str], pdfs: Path | None, say: Say) -> list[Table]:
    """Runs the parts that are among `chosen`, on one stack in a new folder under `where`."""
    say("starting a stack")
    async with started(where) as rig, running("bench.receiver") as receiver:
        books = rig.accounts()
        rest = books.memory()
        say(f"warming up with {tables.WARM_JOBS:,} jobs")
        await _warm_up(rig, receiver)
        after = books.memory()
        rows: list[Sequence[str]] = []
        spent: list[Table] = []
        if "pages" in chosen:
            say(f"PDF pages: {pages.ROUNDS} rounds of system and bare loop")
            rows += tables.pages_rows(await pages.compare(rig, pdfs))
        if "noop" in chosen:
            say(f"no-op jobs: {ROUNDS} rounds of {JOBS:,} without and with a webhook")
            noop_rows, spent = await _noop(rig, receiver)
            rows += noop_rows
        if "latency" in chosen:
            for rate, seconds in RATES:
                say(f"latency: {rate:g} jobs/s for {seconds:g} s")
                rows += tables.latency_rows(await latency.paced(rig, rate, seconds))
        if "posts" in chosen:  # the last: it stops services
            say(f"POST alone: {posts.ROUNDS} rounds of API and bare app")
            rows.append(tables.posts_row(await posts.compare(rig)))
        return [tables.speed(rows), *spent, tables.memory(rest, after)]


async def _warm_up(rig: Rig, receiver: Program) -> None:
    """The jobs of which the memory table speaks."""
    await noop.burst(rig, tables.WARM_JOBS // 2)
    await noop.burst(rig, tables.WARM_JOBS // 2, receiver)
    await rig.analyze()


async def _noop(rig: Rig, receiver: Program) -> tuple[list[Sequence[str]], list[Table]]:
    """Bursts without and with webhooks, and what the latter left behind."""
    plain = await noop.rounds(rig, ROUNDS, JOBS)
    told, left = await _told(rig, receiver)
    count = JOBS * ROUNDS
    spent = [tables.cpu(plain[0], told[0]), tables.log_costs(left, count), tables.database_costs(left, count)]
    return tables.noop_rows(plain, told), spent


async def _told(rig: Rig, receiver: Program) -> tuple[list[noop.Burst], costs.Costs]:
    offsets = KafkaOffsets(rig.settings)
    await offsets.start()
    try:
        before = await costs.mark(rig, offsets)
        bursts = await noop.rounds(rig, ROUNDS, JOBS, receiver)
        return bursts, await costs.between(offsets, before, await costs.mark(rig, offsets))
    finally:
        await offsets.stop()
