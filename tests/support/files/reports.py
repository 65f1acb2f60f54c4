"""Reports that look like those of an office, the same at each call, for pictures of the page."""

from pathlib import Path

import pymupdf

INK, PALE, BLUE = (0.13, 0.14, 0.2), (0.45, 0.47, 0.55), (0.31, 0.28, 0.9)
LEFT, RIGHT = 64, 531
SECTIONS = (
    (
        "Summary",
        "Revenue grew in each region, most of all in the north. Orders exceed those of the second quarter by a tenth.",
        "Costs of energy fell, those of transport rose. Two sites were merged, which saved a twelfth of rent.",
        "The order book covers the next two quarters. Prices of steel remain the largest risk of the year.",
    ),
    (
        "Revenue",
        "Most orders are of customers of long standing. New ones came from three fairs and from the catalogue.",
        "Returns stayed below one in a hundred. The average order takes nine days from its arrival to the invoice.",
        "Prices were raised once, in July, by three in a hundred. No customer left for that reason.",
    ),
    (
        "Outlook",
        "The plan for the fourth quarter holds. A second shift begins in November if orders stay as they are.",
        "The new warehouse opens in January. Until then, goods of the south are stored with a partner.",
        "Investments of the coming year are decided in the meeting of December, with the auditors present.",
    ),
)
ROWS = (("Region", "Q2", "Q3"), ("North", "4.1", "4.6"), ("South", "3.8", "4.0"), ("East", "2.2", "2.7"))


def report(path: Path, title: str, pages: int = 3) -> Path:
    """Write a report with a heading, a paragraph and a table on each page; return its path."""
    with pymupdf.open() as document:
        for number in range(1, pages + 1):
            _page(document.new_page(width=595, height=842), title, number)
        document.save(path, deflate=True)
    return path


def _page(page: pymupdf.Page, title: str, number: int) -> None:
    heading, *paragraphs = SECTIONS[(number - 1) % len(SECTIONS)]
    page.insert_text((LEFT, 70), title, fontname="helv", fontsize=9, color=PALE)
    page.insert_text((RIGHT - 30, 70), f"Page {number}", fontname="helv", fontsize=9, color=PALE)
    page.draw_line((LEFT, 82), (RIGHT, 82), color=BLUE, width=1.5)
    page.insert_text((LEFT, 130), f"{number}. {heading}", fontname="hebo", fontsize=22, color=INK)
    for place, text in enumerate(paragraphs):
        top = 150 + 60 * place
        page.insert_textbox((LEFT, top, RIGHT, top + 54), text, fontname="tiro", fontsize=12.5, color=INK)
    for line, row in enumerate(ROWS):
        for column, cell in enumerate(row):
            name = "hebo" if line == 0 else "helv"
            page.insert_text((LEFT + 150 * column, 365 + 26 * line), cell, fontname=name, fontsize=11, color=INK)
        page.draw_line((LEFT, 373 + 26 * line), (RIGHT, 373 + 26 * line), color=PALE, width=0.5)
