"""Pages/s through the whole system, and through two bare multiprocessing loops over the same files.

One loop uses PyMuPDF's `get_text`, as a script does. The other makes the processor's own, faster calls: the difference
between the two ratios is the effect of these calls.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench import documents
from bench.programs.bare_pdf import READINGS
from bench.programs.calls import ask
from bench.projected import SQL
from bench.report import Row, at_least
from bench.rig import SLOTS, Rig

LENGTHS = [300, 250, 200, 150, 100]  # pages: the longest first, so that both sides end with short documents
REPEATS = 8  # 8,000 pages: about five seconds
ROUNDS = 5
AIM = 0.85


async def measure(rig: Rig, pdfs: Path | None) -> list[Row]:
    """Run the loops and the system in turn. `pdfs` is a folder of PDFs to use instead of generated ones.

    Rates are medians of the rounds; a ratio is the median of the rounds' ratios.
    """
    files = _copied(pdfs, rig.files) if pdfs else documents.texts(rig.files, LENGTHS)
    paths = [str(path) for path in files for _ in range(1 if pdfs else REPEATS)]
    await through_system(rig, _jobs(paths[-SLOTS:]))  # warms the children up; the loops do it themselves
    rounds = []
    for _ in range(ROUNDS):
        loops = [await _loop(reading, paths) for reading in READINGS]
        pages, seconds = await through_system(rig, _jobs(paths))
        rounds.append((pages / seconds, *(pages / loop for loop in loops)))
    system, bare, calls = (median(rates) for rates in zip(*rounds, strict=True))
    ratio = median(system / bare for system, bare, _ in rounds)
    calls_ratio = median(system / calls for system, _, calls in rounds)
    return [
        at_least("PDF pages/s, system : bare", ratio, AIM, f"{system:,.0f} : {bare:,.0f} pages/s"),
        (
            "PDF pages/s, system : bare with the processor's calls",
            f"{calls_ratio:.2f}",
            "",
            "",
            f"{system:,.0f} : {calls:,.0f} pages/s",
        ),
    ]


async def through_system(rig: Rig, jobs: Sequence[dict[str, Any]], timeout_s: float = 120.0) -> tuple[int, float]:
    """Return the pages that `pdf` jobs read, and the seconds until the last job was readable."""
    run = await rig.run(rig.order("pdf", jobs), timeout_s)
    return int(await rig.database.fetchval(SQL["pages"], list(run.readable))), run.seconds


async def _loop(reading: str, paths: list[str]) -> float:
    """Return the seconds of a bare loop."""
    question = {"processes": SLOTS, "files": paths, "reading": reading}
    return float((await ask("bench.programs.bare_pdf", question))["seconds"])


def _jobs(paths: list[str]) -> list[dict[str, Any]]:
    return [{"filename": path, "use_cache": False} for path in paths]


def _copied(pdfs: Path, files: Path) -> list[Path]:
    """Copy the PDFs of a folder to where jobs may read them; the largest comes first."""
    found = sorted(pdfs.glob("*.pdf"), key=lambda path: path.stat().st_size, reverse=True)
    return [Path(shutil.copy(path, files)) for path in found]
