"""Pages a second through the whole system against two bare multiprocessing loops over the same files.

One loop is what a script would be, PyMuPDF's `get_text`; the other makes the processor's own, quicker calls, so that
the difference between the two ratios is what those calls bring.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import documents
from bench.bare_pdf import READINGS
from bench.programs import ask, generate
from bench.projected import SQL
from bench.rig import SLOTS, Rig

LENGTHS = [300, 250, 200, 150, 100]  # pages: the longest first, so that both sides end with short ones
REPEATS = 8  # 8,000 pages: some five seconds
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages a second, the middle of several rounds; a ratio is the middle of the rounds' ratios.

    `calls` is the loop over the processor's own calls.
    """

    pages: int
    system: float
    bare: float
    calls: float
    ratio: float
    calls_ratio: float


async def compare(rig: Rig, given: Path | None) -> Pages:
    """Runs both in turn. `given` is a folder of PDFs to use instead of our own."""
    files = _copied(given, rig.files) if given else documents.make(rig.files, LENGTHS)
    paths = [str(path) for path in files for _ in range(1 if given else REPEATS)]
    await through_system(rig, _jobs(paths[-SLOTS:]))  # warms the children as the bare loop warms its own
    rounds = []
    for _ in range(ROUNDS):
        loops = [await _loop(reading, paths) for reading in READINGS]
        pages, seconds = await through_system(rig, _jobs(paths))
        rounds.append((pages / seconds, *(pages / loop for loop in loops)))
    return Pages(
        pages=pages,
        system=median(system for system, _, _ in rounds),
        bare=median(bare for _, bare, _ in rounds),
        calls=median(calls for _, _, calls in rounds),
        ratio=median(system / bare for system, bare, _ in rounds),
        calls_ratio=median(system / calls for system, _, calls in rounds),
    )


async def _loop(reading: str, paths: list[str]) -> float:
    """The seconds that a bare loop takes."""
    answer: dict[str, Any] = await ask("bench.bare_pdf", {"processes": SLOTS, "files": paths, "reading": reading})
    return float(answer["seconds"])


async def through_system(rig: Rig, jobs: Sequence[dict[str, Any]], timeout_s: float = 120.0) -> tuple[int, float]:
    """Pages that `pdf` jobs read, and the seconds until the last one was readable."""
    records = rig.projected.records
    answer = await generate(rig.order("pdf", jobs))
    ids = [one.job_id for one in answer.posted]
    readable = await rig.projected.completed(ids, records, timeout_s)
    pages = await rig.database.fetchval(SQL["pages"], ids)
    return int(pages), max(readable.values()) - answer.began


def _jobs(paths: list[str]) -> list[dict[str, Any]]:
    return [{"filename": path, "use_cache": False} for path in paths]


def _copied(given: Path, files: Path) -> list[Path]:
    """The PDFs of a folder, the largest first, copied to where jobs may read them."""
    found = sorted(given.glob("*.pdf"), key=lambda path: path.stat().st_size, reverse=True)
    return [Path(shutil.copy(path, files)) for path in found]
