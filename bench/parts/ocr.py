"""Scanned pages/s through the whole system, by engine and by number of child processes, and memory meanwhile."""

from pathlib import Path
from typing import Any

from bench import documents
from bench.accounts import CHILDREN, Workforce, sampled
from bench.parts.pages import through_system
from bench.report import Table, mib
from bench.rig import Rig, started
from services.worker.errors import ProcessingError
from services.worker.ocr.contract import EngineName
from services.worker.ocr.engines import engine_named

ENGINES: tuple[EngineName, ...] = ("tesseract", "rapidocr")  # first the one that leaves nothing in a child
SLOTS = (1, 2)
DOCUMENTS = 6
PAGES = 2  # of each document
SAMPLE_S = 0.25
TIMEOUT_S = 300.0
COLUMNS = ("Engine", "pages/s", "CPU s per page", "worker", "a child", "its share", "all children's shares")


async def measure(data: Path) -> Table:
    """Start a stack for each number of child processes, which is a setting of the worker."""
    rows: list[tuple[str, ...]] = []
    missing: set[str] = set()
    for slots in SLOTS:
        async with started(data, {"PIPEROLL_SLOTS": str(slots)}) as rig:
            files = documents.scans(rig.files, DOCUMENTS, PAGES)
            for engine in ENGINES:
                if _is_installed(engine, rig.settings.ocr_languages):
                    rows.append(await _run(rig, engine, slots, files))
                else:
                    missing.add(engine)
    rows = sorted(rows) + [(engine, "not installed", *[""] * (len(COLUMNS) - 2)) for engine in sorted(missing)]
    note = (
        f"{DOCUMENTS} documents of {PAGES} scanned pages each: A4, {documents.SCAN_LINES} lines of text as a picture "
        f"of {documents.SCAN_DPI} DPI; from the first POST until the last document is readable. Memory, in MiB, is the "
        f"highest of readings every {SAMPLE_S:g} s: resident, and shares as PSS. A child's memory includes its own "
        "child processes, such as Tesseract."
    )
    return Table("OCR of scanned pages", COLUMNS, rows, note)


async def _run(rig: Rig, engine: EngineName, slots: int, files: list[Path]) -> tuple[str, ...]:
    await through_system(rig, _jobs(files[:slots], engine, page_end=1), TIMEOUT_S)  # each child loads its model
    accounts = rig.accounts()
    before = accounts.usage()
    async with sampled(accounts.workforce, SAMPLE_S) as seen:
        pages, seconds = await through_system(rig, _jobs(files, engine), TIMEOUT_S)
    spent = accounts.usage().since(before).by_process
    cpu_s = (spent["worker"] + spent[CHILDREN]) / pages
    name = f"{engine}, {slots} child process{'es' if slots > 1 else ''}"
    return name, f"{pages / seconds:.2f}", f"{cpu_s:.2f}", *map(mib, _highest(seen))


def _is_installed(engine: EngineName, languages: str) -> bool:
    """Return whether the worker finds the engine and its languages."""
    try:
        engine_named(engine, languages)
    except ProcessingError:
        return False
    return True


def _jobs(files: list[Path], engine: EngineName, **more: Any) -> list[dict[str, Any]]:
    how = {"extraction_method": "ocr", "ocr_engine": engine, "use_cache": False, **more}
    return [{"filename": str(file), **how} for file in files]


def _highest(seen: list[Workforce]) -> tuple[int, int, int, int]:
    """Return the highest RSS of the worker and of a child, and the highest PSS of a child and of all children."""
    children = [child for one in seen for child in one.children.values()]
    return (
        max(one.worker.rss for one in seen),
        max(child.rss for child in children),
        max(child.pss for child in children),
        max(sum(child.pss for child in one.children.values()) for one in seen),
    )
