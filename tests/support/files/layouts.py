"""PDFs whose structure is known: headings, columns, lists, code, a table with a caption, running headers."""

from pathlib import Path
from typing import Any

from services.worker.pages.mupdf import pymupdf

HEADER, FOOTER = "Harbour Company Ltd. Report 2025", "Page {}"
CAPTION = "Table 1: Fruit that was sold"
ROWS = (("Fruit", "Sold in kg", "Sold in boxes"), ("Apple", "12", "3"), ("Pear", "7", "2"), ("Plum", "31", "9"))
MERGED = (
    (0, 0, 2, 1, "Fruit"), (0, 1, 1, 2, "Sold in 2024"), (0, 3, 1, 1, "In 2025"),
    (1, 1, 1, 1, "kg"), (1, 2, 1, 1, "boxes"), (1, 3, 1, 1, "tons"),
    (2, 0, 1, 1, "Apple"), (2, 1, 1, 1, "12"), (2, 2, 1, 1, "3"), (2, 3, 1, 1, "14"),
    (3, 0, 1, 1, "Pear"), (3, 1, 1, 1, "7"), (3, 2, 1, 1, "2"), (3, 3, 1, 1, "9"),
)  # fmt: skip
"""Cells of a table: row, column, rows, columns, text."""
CODE = "def area(width, height):\n    return width * height"
FRUIT, STEPS = ("first apple", "second pear", "third cherry"), ("wash the fruit", "peel the fruit")
SENTENCE = "This report describes the harbour in the years after it was rebuilt and names the largest ships. "
LEFT, RIGHT = "The left column is about trains. " * 20, "The right column is about ships. " * 20


def report(path: Path) -> Path:
    """Two pages: headings of three sizes, lists and code; two columns, and a table with a caption."""
    path.parent.mkdir(exist_ok=True)
    with pymupdf.open() as document:
        _html(_page(document), (60, 70, 535, 780), _first())
        page = _page(document)
        _html(page, (60, 70, 535, 110), "<h1>Two columns</h1>")
        for left, text in ((60, LEFT), (310, RIGHT)):
            _html(page, (left, 120, left + 225, 500), f"<p>{text}</p>")
        _table(page)
        document.save(path)
    return path


def merged_cells(path: Path) -> Path:
    """A page with a table under a sentence: `Fruit` covers two rows, `Sold in 2024` two columns."""
    path.parent.mkdir(exist_ok=True)
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        _html(page, (60, 70, 535, 200), f"<h1>Fruit</h1><p>{SENTENCE * 2}</p>")
        for row, column, rows, columns, text in MERGED:
            box = pymupdf.Rect(
                60 + 100 * column, 220 + 25 * row, 60 + 100 * (column + columns), 220 + 25 * (row + rows)
            )
            page.draw_rect(box, width=0.7)
            page.insert_text((box.x0 + 5, box.y0 + 16), text, fontsize=10)
        document.save(path)
    return path


def _page(document: Any) -> Any:
    page = document.new_page(width=595, height=842)
    page.insert_text((60, 35), HEADER, fontsize=8)
    page.insert_text((290, 815), FOOTER.format(page.number + 1), fontsize=8)
    return page


def _html(page: Any, box: tuple[float, float, float, float], html: str) -> None:
    page.insert_htmlbox(box, html)


def _first() -> str:
    fruit, steps = ("".join(f"<li>{item}</li>" for item in items) for items in (FRUIT, STEPS))
    return (
        f"<h1>Annual report</h1><p>{SENTENCE * 3}</p><h2>Results of the year</h2><p>{SENTENCE * 4}</p>"
        f"<ul>{fruit}</ul><p>{SENTENCE}</p><ol>{steps}</ol><h2>A program</h2><pre>{CODE}</pre><p>{SENTENCE}</p>"
    )


def _table(page: Any) -> None:
    for row, cells in enumerate(ROWS):
        for column, text in enumerate(cells):
            left, top = 60 + 140 * column, 540 + 25 * row
            page.draw_rect(pymupdf.Rect(left, top, left + 140, top + 25), width=0.7)
            page.insert_text((left + 5, top + 16), text, fontsize=10)
    page.insert_text((60, 540 + 25 * len(ROWS) + 18), CAPTION, fontsize=9)
    _html(page, (60, 690, 535, 780), f"<p>{SENTENCE * 2}</p>")
