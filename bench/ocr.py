"""Scanned pages a second through the whole system, by engine and by number of child processes, and their memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import accounts, scans
from bench.accounts import CHILDREN, Workforce
from bench.pages import through_system
from bench.report import Table
from bench.rig import Rig, started
from bench.samples import sampled
from bench.tables import mib
from services.worker.errors import ProcessingError
from services.worker.ocr.contract import EngineName
from services.worker.ocr.engines import engine_named

ENGINES: Sequence[EngineName] = ("tesseract", "rapidocr")  # Tesseract leaves nothing behind in a child
SLOTS = (1, 2)
DOCUMENTS = 6
PAGES = 2  # of each document
SAMPLE_S = 0.25
TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Run:
    """One engine at one number of child processes; what its processes took at most while it ran, in bytes."""

    engine: str
    slots: int
    per_second: float
    cpu_s: float
    worker: int
    child: int
    share: int
    all_children: int


async def measure(where: Path | None) -> Table:
    """A stack for each number of child processes: how many there are is a setting of the worker."""
    runs: list[Run] = []
    lacking: set[str] = set()
    for slots in SLOTS:
        async with started(where, {"PIPEROLL_SLOTS": str(slots)}) as rig:
            files = scans.make(rig.files, DOCUMENTS, PAGES)
            for engine in ENGINES:
                if _is_installed(engine, rig.settings.ocr_languages):
                    runs.append(await _run(rig, engine, slots, files))
                else:
                    lacking.add(engine)
    return _table(sorted(runs, key=lambda run: (run.engine, run.slots)), sorted(lacking))


async def _run(rig: Rig, engine: EngineName, slots: int, files: list[Path]) -> Run:
    await through_system(rig, _jobs(files[:slots], engine, page_end=1), TIMEOUT_S)  # each child loads its model
    books = rig.accounts()
    before = books.usage()
    async with sampled(books.workforce, SAMPLE_S) as seen:
        pages, seconds = await through_system(rig, _jobs(files, engine), TIMEOUT_S)
    spent = accounts.spent(before, books.usage()).by_process
    return Run(engine, slots, pages / seconds, (spent["worker"] + spent[CHILDREN]) / pages, *_highest(seen))


def _is_installed(engine: EngineName, languages: str) -> bool:
    """Whether the worker would find it, with the languages that it is to read."""
    try:
        engine_named(engine, languages)
    except ProcessingError:
        return False
    return True


def _jobs(files: list[Path], engine: EngineName, **more: Any) -> list[dict[str, Any]]:
    how = {"extraction_method": "ocr", "ocr_engine": engine, "use_cache": False, **more}
    return [{"filename": str(file), **how} for file in files]


def _highest(seen: list[Workforce]) -> tuple[int, int, int, int]:
    """The worker, a child as a whole and by its share, and the shares of all children together."""
    children = [child for one in seen for child in one.children.values()]
    return (
        max(one.worker.rss for one in seen),
        max(child.rss for child in children),
        max(child.pss for child in children),
        max(sum(child.pss for child in one.children.values()) for one in seen),
    )


def _table(runs: list[Run], lacking: list[str]) -> Table:
    rows: list[Sequence[str]] = [
        (
            f"{run.engine}, {run.slots} child process{'es' if run.slots > 1 else ''}",
            f"{run.per_second:.2f}",
            f"{run.cpu_s:.2f}",
            *map(mib, (run.worker, run.child, run.share, run.all_children)),
        )
        for run in runs
    ]
    columns = ("Engine", "pages/s", "CPU s a page", "worker", "a child", "its share", "all children's shares")
    rows += [(engine, "not installed", *[""] * (len(columns) - 2)) for engine in lacking]
    note = (
        f"{DOCUMENTS} documents of {PAGES} scanned pages each: A4, {scans.LINES} lines of text as a picture of "
        f"{scans.DPI} DPI; from the first POST until the last document is readable. Memory, in MiB, is the highest "
        f"seen every {SAMPLE_S:g} s: resident, shares as PSS; a child's with what it started itself, as Tesseract is."
    )
    return Table("OCR of scanned pages", columns, rows, note)
