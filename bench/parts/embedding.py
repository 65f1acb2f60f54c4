"""Chunks/s of the local embedding model, in a process with the memory limit of a worker's child.

As a program it reads `{"sizes", "chars", "memory_bytes"}` from standard input and prints its measurements.
"""

import json
import os
import random
import resource
import sys
import time
from pathlib import Path
from typing import Any

from bench.programs.calls import ask
from bench.report import MIB, Row, Table
from piperoll.embeddings import LOCAL_MODEL, Remote, chunks, embedder_of

SIZES = (500, 1000, 2000)  # characters of a chunk; 500 is the default of a folder
CHARS = 60_000
MEMORY_BYTES = 2 * 1024**3
WORDS = """
    the committee a report of and in to for with was is were has its their on by from that this annual river harbour
    payment invoice manager employee winter boiler heating contract tenant insurance claim flood soil worker machine
    document folder search index question answer quickly slowly rarely new old broken repaired measured discussed
"""


async def measure(_data: Path) -> Table:
    """Measure in a new process, which writes no data."""
    question = {"sizes": SIZES, "chars": CHARS, "memory_bytes": MEMORY_BYTES}
    found: dict[str, Any] = await ask("bench.parts.embedding", question)
    rows: list[Row] = [
        (f"chunks of {size} characters", f"{one['chunks'] / one['seconds']:.1f}", f"{CHARS / one['seconds']:,.0f}")
        for size, one in zip(SIZES, found["sizes"], strict=True)
    ]
    note = (
        f"{LOCAL_MODEL} in one process with one thread, splitting included; the first text, which loads the model, "
        f"took {found['load_s']:.1f} s more. {found['rss_bytes'] / MIB:,.0f} MiB resident at the end, "
        f"{found['peak_bytes'] / MIB:,.0f} MiB at most; the limit of a child's address space is "
        f"{MEMORY_BYTES / MIB:,.0f} MiB."
    )
    return Table("Embedding on this machine", ("What", "chunks/s", "characters/s"), rows, note)


def text(chars: int) -> str:
    """Return seeded sentences of common words, with as many tokens per character as English."""
    seeded = random.Random(7)
    words = WORDS.split()
    made = ""
    while len(made) < chars:
        made += f"{' '.join(seeded.choices(words, k=seeded.randint(6, 18))).capitalize()}. "
    return made[:chars]


def main() -> None:
    """Measure in this process and print JSON."""
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
    main()
