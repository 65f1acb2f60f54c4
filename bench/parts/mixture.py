"""A realistic mixture of PDFs, seeded: most are short texts, some have pictures, a few are large or damaged."""

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
"""How many of fifty jobs are of each kind. Only those of an unreadable file fail."""
ABOUT = (
    f"Of fifty jobs, {SHARES['text']} read texts of {TEXTS[0]} to {TEXTS[-1]} pages, {SHARES['pictures']} illustrated "
    f"pages that are also drawn, {SHARES['large']} a text of {LARGE} pages, {SHARES['posters']} pictures of "
    f"{POSTER[0]} by {POSTER[1]} pixels, {SHARES['cut']} a truncated file, and {SHARES['unreadable']} a file that is "
    "not a PDF; only the last must fail."
)


@dataclass(frozen=True, slots=True)
class Job:
    """The parameters of a `pdf` job, and whether it must fail."""

    parameters: dict[str, Any]
    fails: bool = False


def make(folder: Path) -> dict[str, list[Path]]:
    """Write the files; return them by kind."""
    texts = documents.texts(folder, [*TEXTS, LARGE])
    whole = texts[-2].read_bytes()
    return {
        "text": texts[:-1],
        "large": texts[-1:],
        "pictures": [_illustrated(folder / f"pictures-{count}.pdf", count, (950, 630)) for count in PICTURES],
        "posters": [_illustrated(folder / "posters.pdf", 4, POSTER)],
        "cut": [_written(folder / "cut.pdf", whole[: len(whole) * 2 // 3])],  # MuPDF repairs it
        "unreadable": [
            _written(folder / "noise.pdf", random.Random(1).randbytes(200_000)),
            _written(folder / "head.pdf", whole[:400]),
        ],
    }


def jobs(files: dict[str, list[Path]], seed: int) -> list[Job]:
    """Return fifty jobs in an order that depends on `seed`."""
    order = random.Random(seed)
    made = [_job(kind, files[kind][turn % len(files[kind])]) for kind, count in SHARES.items() for turn in range(count)]
    order.shuffle(made)
    return made


def _job(kind: str, path: Path) -> Job:
    drawn = kind in ("pictures", "posters")
    return Job({"filename": str(path), "use_cache": False, "include_images": drawn}, kind == "unreadable")


def _illustrated(path: Path, pages: int, size: tuple[int, int]) -> Path:
    """Write pages with text and a picture of coarse noise."""
    noise, writer = random.Random(pages), Writer(pages)
    with pymupdf.open() as document:
        for number in range(1, pages + 1):
            small = pymupdf.Pixmap(pymupdf.csRGB, 30, 20, noise.randbytes(30 * 20 * 3), False)
            picture = pymupdf.Pixmap(small, *size).tobytes("jpg", jpg_quality=90)
            page = writer.write(document, number, lines=20)
            page.insert_image(pymupdf.Rect(60, 420, 535, 780), stream=picture)
        document.save(path)
    return path


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
