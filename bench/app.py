"""The order of the measurements. The first jobs only warm things up: a fresh JVM and fresh tables tell nothing."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

import structlog
from rich.console import Console

from bench import costs, latency, machine, noop, pages, posts, report, tables
from bench.programs import Program, running
from bench.report import Table
from bench.rig import Rig, started
from piperoll.log.kafka import KafkaOffsets

RESULTS = Path(__file__).with_name("RESULTS.md")
JOBS = 1500  # of one burst: three seconds
ROUNDS = 3
RATES = ((20.0, 25.0), (50.0, 20.0))  # jobs a second, for how many seconds

console = Console(width=None if sys.stdout.isatty() else 140)


def main() -> None:
    """Measures, prints, and with `--write` replaces RESULTS.md."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name} too")
    parser.add_argument("--pdfs", type=Path, help="a folder of PDFs to use instead of our own documents")
    parser.add_argument("--data", type=Path, help="where to keep the data meanwhile (default: the temporary folder)")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    asyncio.run(_measure(options))


async def _measure(options: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    _say("starting a stack of its own")
    async with started(options.data) as rig, running("bench.receiver") as receiver:
        about = await machine.describe(rig.database, load)
        console.print("\n".join(about), highlight=False)
        found = await _all(rig, receiver, options.pdfs)
    for table in found:
        report.show(console, table)
    if options.write:
        RESULTS.write_text(report.markdown(about, found), encoding="utf-8")
        _say(f"wrote {RESULTS}")


async def _all(rig: Rig, receiver: Program, pdfs: Path | None) -> list[Table]:
    accounts = rig.accounts()
    rest = accounts.memory()
    await _warm_up(rig, receiver)
    after = accounts.memory()
    _say(f"PDF pages: {pages.ROUNDS} rounds of system and bare loop")
    paged = await pages.compare(rig, pdfs)
    _say(f"no-op jobs: {ROUNDS} rounds of {JOBS:,} without and with a webhook")
    plain = await noop.rounds(rig, ROUNDS, JOBS)
    told, spent = await _told(rig, receiver)
    paced = []
    for rate, seconds in RATES:
        _say(f"latency: {rate:g} jobs/s for {seconds:g} s")
        paced.append(await latency.paced(rig, rate, seconds))
    _say(f"POST alone: {posts.ROUNDS} rounds of API and bare app")
    posted = await posts.compare(rig)
    return [
        tables.speed(paged, posted, plain, told, paced),
        tables.cpu(plain[0], told[0]),
        tables.memory(rest, after),
        tables.log_costs(spent, JOBS * ROUNDS),
        tables.database_costs(spent, JOBS * ROUNDS),
    ]


async def _warm_up(rig: Rig, receiver: Program) -> None:
    """The jobs of which the memory table speaks."""
    _say(f"warming up with {tables.WARM_JOBS:,} jobs")
    await noop.burst(rig, tables.WARM_JOBS // 2)
    await noop.burst(rig, tables.WARM_JOBS // 2, receiver)
    await rig.analyze()


async def _told(rig: Rig, receiver: Program) -> tuple[list[noop.Burst], costs.Costs]:
    """Bursts with webhooks, and what those jobs left behind."""
    offsets = KafkaOffsets(rig.settings)
    await offsets.start()
    try:
        before = await costs.mark(rig, offsets)
        bursts = await noop.rounds(rig, ROUNDS, JOBS, receiver)
        return bursts, await costs.between(offsets, before, await costs.mark(rig, offsets))
    finally:
        await offsets.stop()


def _say(text: str) -> None:
    console.print(f"[dim]{text} ...[/dim]", highlight=False)
