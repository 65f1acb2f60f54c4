"""Text documents: A4, a heading and about 3,000 characters a page, seeded. Other documents are made of its pages."""

import random
from pathlib import Path
from typing import Any

from services.worker.pages.mupdf import pymupdf  # without the layout analysis, which costs a second

LINES = 46
LINE_CHARS = 72  # on average; together with the heading about what a page of a report holds
SYLLABLES = ("ka", "lo", "min", "ter", "vas", "que", "do", "ri", "sen", "tal", "pe", "nor", "gu", "lim", "ath", "bel")


def make(folder: Path, pages: list[int], lines: int = LINES) -> list[Path]:
    """One document for each number of pages."""
    return [_document(folder / f"report-{count}-pages.pdf", count, lines) for count in pages]


def _document(path: Path, pages: int, lines: int) -> Path:
    writer = Writer(pages)
    with pymupdf.open() as document:
        for number in range(1, pages + 1):
            writer.write(document, number, lines)
        document.save(path, garbage=3, deflate=True)
    return path


class Writer:
    """Writes pages of words that exist in no language; the same `seed` makes the same pages."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._words = ["".join(self._chance.choices(SYLLABLES, k=self._chance.randint(1, 4))) for _ in range(2000)]

    def write(self, document: Any, number: int, lines: int) -> Any:
        """Adds a page with a heading and so many lines, and answers it."""
        page = document.new_page(width=595, height=842)
        heading = f"Chapter {number}: {self._words[number].title()}"
        page.insert_text((60, 60), heading, fontname="hebo", fontsize=16)
        page.insert_text((60, 90), [self._line() for _ in range(lines)], fontname="tiro", fontsize=10)
        return page

    def _line(self) -> str:
        line = ""
        while len(line) < LINE_CHARS:
            line += f"{self._chance.choice(self._words)} "
        return line
