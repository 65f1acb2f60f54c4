"""The command line of the measurement: options, the parts in order, the output."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from tempfile import gettempdir

import structlog
from rich.console import Console

from bench import machine, report
from bench.parts import (
    archive,
    devana,
    embedding,
    memory,
    neighbour,
    ocr,
    ocr_errors,
    page,
    rebuild,
    recovery,
    replay,
    speed,
    structure,
)
from bench.report import Table

RESULTS = Path(__file__).with_name("RESULTS.md")
SEPARATE: dict[str, tuple[str, Callable[[Path], Awaitable[Table]]]] = {
    "ocr": ("OCR of scanned pages, by engine and number of child processes", ocr.measure),
    "ocr-errors": ("characters that OCR reads wrongly, by angle, resolution and language", ocr_errors.measure),
    "structure": (f"structure of the PDFs in the folder that {structure.FOLDER} names", structure.measure),
    "memory": (f"memory of a worker over {memory.POINTS[-1]} mixed PDFs", memory.measure),
    "archive": (f"creation and download of the archive of a PDF of {archive.PAGES:,} pages", archive.measure),
    "devana": (f"GET /v1/jobs over {devana.JOBS:,} jobs, by filter", devana.measure),
    "neighbour": ("a small job and its webhook beside an owner that does its worst", neighbour.measure),
    "page": (f"the page in a browser over {page.JOBS:,} jobs: first paint and slowest reaction", page.measure),
    "embedding": ("chunks/s of the local embedding model", embedding.measure),
    "replay": (
        f"start of a worker over up to {replay.JOBS[-1]:,} ended jobs, without and with checkpoints",
        replay.measure,
    ),
    "recovery": ("from the kill of a worker until its jobs run again", recovery.measure),
    "rebuild": (f"rebuild and verify over {rebuild.BURSTS * rebuild.BURST:,} jobs", rebuild.measure),
}
"""Parts that start their own processes: a description, and the function that measures in a given folder."""
PARTS = {**speed.PARTS, **{name: what for name, (what, _) in SEPARATE.items()}}
EPILOG = "\n".join(
    [
        "parts, in the order in which they run:",
        *(f"  {name:<10} {what}" for name, what in PARTS.items()),
        "",
        f"{', '.join(speed.PARTS)} share one stack: any of them also warms it up and reports its memory.",
        "example: python -m bench --only pages,posts --data /mnt/disk/bench",
    ]
)

console = Console(width=None if sys.stdout.isatty() else 140)


def main() -> None:
    """Measure, print the tables, and with --write replace RESULTS.md."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure Piperoll on this machine and print tables. Without --only, all parts run.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", type=_parts, metavar="PART[,PART]", help="run these parts only; see the list below")
    writing = f"also write bench/{RESULTS.name}; with --only, the sections of parts with a separate stack"
    parser.add_argument("--write", action="store_true", help=writing)
    parser.add_argument("--pdfs", type=Path, metavar="DIR", help="PDFs for the part pages instead of generated ones")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        default=Path(gettempdir()),
        help="folder for temporary data; created if it does not exist (default: %(default)s)",
    )
    options = parser.parse_args()
    if options.write and not speed.PARTS.keys().isdisjoint(options.only or ()):
        shared = ", ".join(speed.PARTS)
        parser.error(f"--write requires all of {shared}, which share their tables: omit --only, or these parts")
    options.data = options.data.absolute()
    options.data.mkdir(parents=True, exist_ok=True)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    asyncio.run(_measure(options))


async def _measure(options: argparse.Namespace) -> None:
    began = time.monotonic()
    about = machine.describe(os.getloadavg()[0])
    console.print("\n".join(about), highlight=False)
    tables = await measure_parts(options.only or PARTS, options.data, options.pdfs)
    for table in tables:
        report.show(console, table)
    console.print(f"[dim]measured in {time.monotonic() - began:.0f} s[/dim]", highlight=False)
    if options.write:
        if options.only:
            written = report.replaced(RESULTS.read_text("utf-8"), about, tables)
        else:
            written = report.markdown(about, tables)
        RESULTS.write_text(written, encoding="utf-8")
        _progress(f"wrote {RESULTS}")


async def measure_parts(chosen: Collection[str], data: Path, pdfs: Path | None) -> list[Table]:
    """Run the chosen parts one after the other; their data goes to new folders in `data`."""
    tables = []
    if not speed.PARTS.keys().isdisjoint(chosen):
        tables += await speed.measure(data, chosen, pdfs, _progress)
    for name, (what, measure) in SEPARATE.items():
        if name in chosen:
            _progress(what)
            try:
                tables.append(await measure(data))
            except report.SkippedError as why:
                _progress(str(why))
    return tables


def _parts(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - PARTS.keys():
        raise argparse.ArgumentTypeError(f"unknown part {', '.join(sorted(unknown))}; known are {', '.join(PARTS)}")
    return names


def _progress(text: str) -> None:
    console.print(f"[dim]{time.strftime('%H:%M:%S')} {text} ...[/dim]", highlight=False)


if __name__ == "__main__":
    main()
