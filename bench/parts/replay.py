"""The start of a worker over ended jobs: without its checkpoints, and with them. Kafka is not part of it."""

import asyncio
import json
import shutil
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from bench.report import Table, mib

JOBS = (100_000, 300_000, 1_000_000)
DAYS = 0.5
COLUMNS = ("Ended jobs", "without: s", "jobs/s", "peak MiB", "with: s", "peak MiB", "checkpoints MiB")


async def measure(data: Path) -> Table:
    """Run the program of each measurement in a new process."""
    rows = []
    for jobs in JOBS:
        folder = Path(mkdtemp(prefix="replay-", dir=data))
        without, with_them = await _run(folder, jobs), await _run(folder, 0)
        rows.append(
            (
                f"{jobs:,}",
                f"{without['seconds']:.1f}",
                f"{jobs / without['seconds']:,.0f}",
                mib(without["peak"]),
                f"{with_them['seconds']:.2f}",
                mib(with_them["peak"]),
                mib(with_them["checkpoints"]),
            )
        )
        await asyncio.to_thread(shutil.rmtree, folder)
    note = (
        f"All jobs ended within the last {DAYS * 24:g} hours, so that every id is remembered: the worst case. "
        "The reader decodes and folds one fact of each job, made in the same process; 24 partitions."
    )
    return Table("Start of a worker over ended jobs, without and with its checkpoints", COLUMNS, rows, note)


async def _run(folder: Path, jobs: int) -> dict[str, Any]:
    program = ("-m", "bench.programs.replaying", str(folder), str(jobs), str(DAYS))
    process = await asyncio.create_subprocess_exec(sys.executable, *program, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the program ended with {process.returncode}")
    return dict(json.loads(output))
