"""PDFs whose structure is known: headings, columns, lists, code, a table with a caption, running headers."""

from pathlib import Path
from typing import Any

from services.worker.pages.mupdf import pymupdf

HEADER, FOOTER = "Harbour Company Ltd. Report 2025", "Page {}"
CAPTION = "Table 1: Fruit that was sold"
ROWS = (("Fruit", "Sold in kg", "Sold in boxes"), ("Apple", "12", "3"), ("Pear", "7", "2"), ("Plum", "31", "9"))
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
