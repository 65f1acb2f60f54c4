"""PDFs as they come in life, seeded: most are short texts, some have pictures, a few are large, a few are damaged."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import documents
from bench.documents import Writer
from services.worker.pages.mupdf import pymupdf

TEXTS = (2, 3, 5, 8, 12, 20)  # pages
PICTURES = (3, 5)
LARGE = 300
POSTER = (3000, 2000)  # pixels of a large picture; the others have a tenth
SHARES = {"text": 30, "pictures": 12, "large": 2, "posters": 2, "cut": 2, "unreadable": 2}
"""How many of fifty jobs are of each kind. Those over an unreadable file fail, and no others."""
ABOUT = (
    f"Of fifty jobs {SHARES['text']} are over texts of {TEXTS[0]} to {TEXTS[-1]} pages, {SHARES['pictures']} over "
    f"illustrated pages that are drawn too, {SHARES['large']} over {LARGE} pages, {SHARES['posters']} over pictures of "
    f"{POSTER[0]} by {POSTER[1]} pixels, {SHARES['cut']} over a file that lacks its end, and {SHARES['unreadable']} "
    f"over one that is no PDF at all: they fail, as they must."
)


@dataclass(frozen=True, slots=True)
class Job:
    """The parameters of a `pdf` job, and whether it is to fail."""

    parameters: dict[str, Any]
    fails: bool = False


def make(folder: Path) -> dict[str, list[Path]]:
    """The files by kind."""
    texts = documents.make(folder, [*TEXTS, LARGE])
    whole = texts[-2].read_bytes()
    return {
        "text": texts[:-1],
        "large": texts[-1:],
        "pictures": [_illustrated(folder / f"pictures-{count}.pdf", count, (950, 630)) for count in PICTURES],
        "posters": [_illustrated(folder / "posters.pdf", 4, POSTER)],
        "cut": [_written(folder / "cut.pdf", whole[: len(whole) * 2 // 3])],  # MuPDF finds what is left of it
        "unreadable": [
            _written(folder / "noise.pdf", random.Random(1).randbytes(200_000)),
            _written(folder / "head.pdf", whole[:400]),
        ],
    }


def jobs(files: dict[str, list[Path]], seed: int) -> list[Job]:
    """Fifty jobs in an order of their own."""
    chance = random.Random(seed)
    made = [_job(kind, files[kind][turn % len(files[kind])]) for kind, count in SHARES.items() for turn in range(count)]
    chance.shuffle(made)
    return made


def _job(kind: str, path: Path) -> Job:
    drawn = kind in ("pictures", "posters")
    return Job({"filename": str(path), "use_cache": False, "include_images": drawn}, kind == "unreadable")


def _illustrated(path: Path, pages: int, size: tuple[int, int]) -> Path:
    """A picture of coarse noise above text on each page."""
    chance, writer = random.Random(pages), Writer(pages)
    with pymupdf.open() as document:
        for number in range(1, pages + 1):
            small = pymupdf.Pixmap(pymupdf.csRGB, 30, 20, chance.randbytes(30 * 20 * 3), False)
            picture = pymupdf.Pixmap(small, *size).tobytes("jpg", jpg_quality=90)
            page = writer.write(document, number, lines=20)
            page.insert_image(pymupdf.Rect(60, 420, 535, 780), stream=picture)
        document.save(path)
    return path


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
