"""Generated PDFs, seeded: text documents of A4 pages with about 3,000 characters, and scans of such pages."""

import random
from pathlib import Path
from typing import Any

from services.worker.pages.mupdf import pymupdf  # without the layout analysis, which costs a second

LINES = 46
LINE_CHARS = 72  # on average; with the heading about as much as a page of a report
SCAN_LINES = 24
SCAN_DPI = 200
SYLLABLES = ("ka", "lo", "min", "ter", "vas", "que", "do", "ri", "sen", "tal", "pe", "nor", "gu", "lim", "ath", "bel")


def texts(folder: Path, pages: list[int], lines: int = LINES) -> list[Path]:
    """Write one text document for each number of pages."""
    return [_text(folder / f"report-{count}-pages.pdf", count, lines) for count in pages]


def scans(folder: Path, count: int, pages: int) -> list[Path]:
    """Write documents whose pages are pictures of text, so that only OCR reads them."""
    return [_scan(folder / f"scan-{number}.pdf", number, pages) for number in range(count)]


class Writer:
    """Writes pages of invented words; the same `seed` produces the same pages."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._words = ["".join(self._random.choices(SYLLABLES, k=self._random.randint(1, 4))) for _ in range(2000)]

    def write(self, document: Any, number: int, lines: int) -> Any:
        """Add a page with a heading and `lines` lines, and return it."""
        page = document.new_page(width=595, height=842)
        heading = f"Chapter {number}: {self._words[number].title()}"
        page.insert_text((60, 60), heading, fontname="hebo", fontsize=16)
        page.insert_text((60, 90), [self._line() for _ in range(lines)], fontname="tiro", fontsize=10)
        return page

    def _line(self) -> str:
        line = ""
        while len(line) < LINE_CHARS:
            line += f"{self._random.choice(self._words)} "
        return line


def _text(path: Path, pages: int, lines: int) -> Path:
    writer = Writer(pages)
    with pymupdf.open() as document:
        for number in range(1, pages + 1):
            writer.write(document, number, lines)
        document.save(path, garbage=3, deflate=True)
    return path


def _scan(path: Path, seed: int, pages: int) -> Path:
    writer = Writer(seed)
    with pymupdf.open() as typed, pymupdf.open() as scanned:
        for number in range(1, pages + 1):
            page = writer.write(typed, number, SCAN_LINES)
            picture = page.get_pixmap(dpi=SCAN_DPI, colorspace=pymupdf.csGRAY).tobytes("jpg", jpg_quality=85)
            scanned.new_page(width=page.rect.width, height=page.rect.height).insert_image(page.rect, stream=picture)
        scanned.save(path)
    return path
