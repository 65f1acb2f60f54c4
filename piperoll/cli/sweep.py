"""`piperoll sweep`: show or delete what the log proves to be unneeded in the blob store."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from piperoll.cli.console import (
    COULD_NOT_RUN,
    CommandError,
    counted,
    entry,
    print_error,
    print_line,
    run_command,
    waiting,
    warn,
)
from piperoll.cli.target import DataDir, settings_of

if TYPE_CHECKING:
    from services.worker.cleanup.sweep.evidence import Doomed
    from services.worker.cleanup.sweep.plan import SweepPlan
    from services.worker.cleanup.sweep.sweeper import StoreSweep

EXAMPLES = 3
WHY = {
    "orphaned": "no fact in the log: requests that never became jobs",
    "unnamed": "content of documents and folders that no fact in the log names",
    "expanded": "specifications of batches whose members exist",
    "erased": "of erased jobs and batches: workers delete it",
    "upload": "uploads past their age that no open job uses, and their markers",
    "cache": "cached results past their age",
    "segment": "segments without contents",
    "pages": "page checkpoints of jobs that have ended",
}


def sweep(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be deleted and why, and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Delete it even if it is more than the brake allows.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Delete unneeded blobs of all partitions, as the workers do. Exit status 1: the brake forbids it, 2: could not
    run."""
    run_command(_sweep(data_dir, dry_run, yes), failure=COULD_NOT_RUN)


async def _sweep(data_dir: Path | None, dry_run: bool, yes: bool) -> int:
    from piperoll.clock import utc_now
    from piperoll.installation.guard import examine
    from piperoll.installation.identity import InstallationError
    from piperoll.log.kafka import KafkaOffsets
    from piperoll.log.stops import SkippedRecords
    from piperoll.store.blobs import AsyncBlobs, Blobs
    from services.worker.cleanup.sweep.knowledge import ScannedKnowledge
    from services.worker.cleanup.sweep.sweeper import StoreSweep

    settings = settings_of(data_dir)
    blobs, log = AsyncBlobs(Blobs(settings.blob_url)), KafkaOffsets(settings)
    await log.start()
    try:
        blobs.sync.guard.on = await examine(blobs, log, await log.identity()) is not None
        knowledge = ScannedKnowledge(log, range(settings.partitions), SkippedRecords(blobs))
        one = StoreSweep(settings, blobs, log, knowledge, None, utc_now, random.Random())
        with waiting("Reading the log and listing the blob store"):
            plan = await one.plan(deep=True)
        if plan is None:
            print_line("The log is empty: it proves nothing, and nothing is deleted.")
            return 0
        show(plan)
        if dry_run:
            return 0
        return await _carry_out(one, plan, yes)
    except InstallationError as error:
        raise CommandError(str(error)) from error
    finally:
        await log.stop()
        blobs.close()


async def _carry_out(one: "StoreSweep", plan: "SweepPlan", yes: bool) -> int:
    if plan.stopped and not yes:
        await one.note(plan)
        print_error(plan.stopped)
        return 1
    with waiting("Deleting"):
        counts = await one.carry_out(plan, asyncio.Event())
        await one.note(plan.released())
    entry("deleted", counted(counts.total(), "blob"))
    return 0


def show(plan: "SweepPlan") -> None:
    """Print the plan: for each reason what would be deleted, with examples."""
    groups: dict[str, list[Doomed]] = defaultdict(list)
    for doomed in plan.doomed:
        groups[doomed.reason].append(doomed)
    entry("store", f"{counted(plan.totals.total(), 'blob')} that a sweep decides about")
    for reason, why in WHY.items():
        if found := groups.get(reason):
            count = sum(one.blobs for one in found)
            print_line(f"\n  [bold]{counted(count, 'blob')}[/bold]  {why}")
            for line in _examples(found):
                entry("", line)
    if groups:
        print_line()
    else:
        entry("to delete", "nothing")
    if plan.waiting:
        entry("noted", f"{counted(plan.waiting, 'id')} without a fact: deleted if still so after 48 hours of the log")
    if plan.stopped:
        warn(plan.stopped)


def _examples(found: Sequence["Doomed"]) -> list[str]:
    names = list(dict.fromkeys(one.name for one in found))
    more = [f"and {len(names) - EXAMPLES:,} more"] if len(names) > EXAMPLES else []
    return [*names[:EXAMPLES], *more]
