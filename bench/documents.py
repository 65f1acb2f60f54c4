"""Text documents for the PDF measurement: A4, a heading and about 3,000 characters a page, seeded."""

import random
from pathlib import Path

from services.worker.processors.mupdf import pymupdf  # without the layout analysis, which costs a second

LINES = 46
LINE_CHARS = 72  # on average; together with the heading about what a page of a report holds
SYLLABLES = ("ka", "lo", "min", "ter", "vas", "que", "do", "ri", "sen", "tal", "pe", "nor", "gu", "lim", "ath", "bel")


def make(folder: Path, pages: list[int]) -> list[Path]:
    """One document for each number of pages."""
    return [_document(folder / f"report-{count}-pages.pdf", count) for count in pages]


def _document(path: Path, pages: int) -> Path:
    chance = random.Random(pages)
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(2000)]
    document = pymupdf.open()
    for number in range(1, pages + 1):
        page = document.new_page(width=595, height=842)
        page.insert_text((60, 60), f"Chapter {number}: {words[number].title()}", fontname="hebo", fontsize=16)
        page.insert_text((60, 90), [_line(chance, words) for _ in range(LINES)], fontname="tiro", fontsize=10)
    document.save(path, garbage=3, deflate=True)
    document.close()
    return path


def _line(chance: random.Random, words: list[str]) -> str:
    line = ""
    while len(line) < LINE_CHARS:
        line += f"{chance.choice(words)} "
    return line
