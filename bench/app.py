"""Which parts are measured, in which order, and where the tables go."""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
from rich.console import Console

from bench import archive, curve, devana_list, embedding, machine, ocr, report, throughput
from bench.report import Table

RESULTS = Path(__file__).with_name("RESULTS.md")
APART: dict[str, tuple[str, Callable[[Path | None], Awaitable[Table]]]] = {
    "ocr": ("OCR of scanned pages", ocr.measure),
    "memory": (f"memory of a worker over {curve.POINTS[-1]} mixed PDFs", curve.measure),
    "archive": (f"the archive of {archive.PAGES:,} pages", archive.measure),
    "devana": (f"lists of the Devana API: {devana_list.JOBS:,} jobs", devana_list.apart),
    "embedding": ("embedding by the local model", lambda _: embedding.measure()),
}
"""Parts with processes of their own: what is said of each, and what measures it in a folder that it is given."""
PARTS = (*throughput.PARTS, *APART)

console = Console(width=None if sys.stdout.isatty() else 140)


def main() -> None:
    """Measures, prints, and with `--write` replaces RESULTS.md."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=main.__doc__)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name} too")
    parser.add_argument("--only", type=_parts, metavar="NAME[,NAME]", help=f"some parts only: {', '.join(PARTS)}")
    parser.add_argument("--pdfs", type=Path, help="a folder of PDFs to use instead of our own documents, for pages")
    parser.add_argument("--data", type=Path, help="where to keep the data meanwhile (default: the temporary folder)")
    options = parser.parse_args()
    if options.write and options.only:
        parser.error(f"--write is for the whole: {RESULTS.name} would lack the other parts; leave out --only")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    asyncio.run(_measure(options))


async def _measure(options: argparse.Namespace) -> None:
    began = time.monotonic()
    about = machine.describe(os.getloadavg()[0])
    console.print("\n".join(about), highlight=False)
    found = await _all(options.only or PARTS, options)
    for table in found:
        report.show(console, table)
    console.print(f"[dim]measured in {time.monotonic() - began:.0f} s[/dim]", highlight=False)
    if options.write:
        RESULTS.write_text(report.markdown(about, found), encoding="utf-8")
        _say(f"wrote {RESULTS}")


async def _all(chosen: tuple[str, ...], options: argparse.Namespace) -> list[Table]:
    found = []
    if not set(chosen).isdisjoint(throughput.PARTS):
        found += await throughput.measure(options.data, chosen, options.pdfs, _say)
    for name, (what, measure) in APART.items():
        if name in chosen:
            _say(what)
            found.append(await measure(options.data))
    return found


def _parts(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - set(PARTS):
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return names


def _say(text: str) -> None:
    console.print(f"[dim]{time.strftime('%H:%M:%S')} {text} ...[/dim]", highlight=False)
