"""Scanned documents for OCR: pages of text as pictures of 200 DPI, so that nothing but OCR can read them."""

from pathlib import Path

from bench.documents import Writer
from services.worker.pages.mupdf import pymupdf

DPI = 200
LINES = 24
QUALITY = 85


def make(folder: Path, documents: int, pages: int) -> list[Path]:
    """So many documents of so many pages each."""
    return [_scan(folder / f"scan-{number}.pdf", number, pages) for number in range(documents)]


def _scan(path: Path, seed: int, pages: int) -> Path:
    writer = Writer(seed)
    with pymupdf.open() as typed, pymupdf.open() as scanned:
        for number in range(1, pages + 1):
            page = writer.write(typed, number, LINES)
            picture = page.get_pixmap(dpi=DPI, colorspace=pymupdf.csGRAY).tobytes("jpg", jpg_quality=QUALITY)
            scanned.new_page(width=page.rect.width, height=page.rect.height).insert_image(page.rect, stream=picture)
        scanned.save(path)
    return path
