"""Chunks a second of the local embedding model, in a process bounded as a worker's child is.

Run as a program it reads `{"sizes", "chars", "memory_bytes"}` from standard input and answers what it measured.
`python -m bench.embedding alone` measures and prints the table.
"""

import asyncio
import json
import os
import random
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.accounts import MIB
from bench.programs import ask
from bench.report import Table, show
from piperoll.embeddings import LOCAL_MODEL, Remote, chunks, embedder_of

SIZES = (500, 1000, 2000)  # characters of a chunk; 500 is what a folder has by default
CHARS = 60_000
MEMORY_BYTES = 2 * 1024**3
WORDS = """
    the committee a report of and in to for with was is were has its their on by from that this annual river harbour
    payment invoice manager employee winter boiler heating contract tenant insurance claim flood soil worker machine
    document folder search index question answer quickly slowly rarely new old broken repaired measured discussed
"""


async def measure() -> Table:
    """Measures in a fresh process."""
    question = {"sizes": SIZES, "chars": CHARS, "memory_bytes": MEMORY_BYTES}
    found: dict[str, Any] = await ask("bench.embedding", question)
    rows: list[Sequence[str]] = [
        (f"chunks of {size} characters", f"{one['chunks'] / one['seconds']:.1f}", f"{CHARS / one['seconds']:,.0f}")
        for size, one in zip(SIZES, found["sizes"], strict=True)
    ]
    note = (
        f"{LOCAL_MODEL} in one process with one thread, cutting included; the first text took "
        f"{found['load_s']:.1f} s more. {found['rss_bytes'] / MIB:,.0f} MiB resident at the end, "
        f"{found['peak_bytes'] / MIB:,.0f} MiB at most; a child may use {MEMORY_BYTES / MIB:,.0f} MiB of addresses."
    )
    return Table("Embedding on this machine", ("What", "chunks/s", "characters/s"), rows, note)


def text(chars: int) -> str:
    """Seeded sentences of common words: as many tokens a character as English has."""
    chance = random.Random(7)
    words = WORDS.split()
    made = ""
    while len(made) < chars:
        made += f"{' '.join(chance.choices(words, k=chance.randint(6, 18))).capitalize()}. "
    return made[:chars]


def main() -> None:
    """Measures here, and answers in JSON."""
    order = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_AS, (order["memory_bytes"], order["memory_bytes"]))
    embedder = embedder_of(LOCAL_MODEL, Remote())
    began = time.monotonic()
    embedder.embed(["The first text loads the model."])
    load_s = time.monotonic() - began
    whole = text(order["chars"])
    sizes = [_timed(whole, size) for size in order["sizes"]]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"load_s": load_s, "sizes": sizes, "peak_bytes": peak, "rss_bytes": _resident_bytes()}))


def _timed(whole: str, size: int) -> dict[str, float]:
    embedder = embedder_of(LOCAL_MODEL, Remote())
    began = time.monotonic()
    pieces = chunks(whole, size)
    embedder.embed(pieces)
    return {"chunks": len(pieces), "seconds": time.monotonic() - began}


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    if sys.argv[1:] == ["alone"]:
        show(Console(), asyncio.run(measure()))
    else:
        main()
