"""The sample document of the demonstration: a PDF of several pages, made from `demonstration.md` when needed."""

import html
import io
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

pymupdf: Any = import_module("pymupdf")  # it has no types

TITLE = "The Pipe Rolls"
PAGE = pymupdf.paper_rect("a4")
MARGIN = 72  # points: an inch
STYLE = """
body { font-family: serif; font-size: 11.5pt; line-height: 1.45; text-align: justify; }
h1 { font-size: 19pt; margin-bottom: 14pt; text-align: left; }
p { margin-bottom: 8pt; }
"""


def chapters() -> list[tuple[str, list[str]]]:
    """Return the title and the paragraphs of each chapter."""
    text = files("piperoll.cli").joinpath("demonstration.md").read_text(encoding="utf-8")
    found = []
    for part in text.split("# ")[1:]:
        title, *paragraphs = part.strip().split("\n\n")
        found.append((title, paragraphs))
    return found


def write_sample(path: Path) -> int:
    """Write the document to `path`, each chapter on a new page, and return the number of pages."""
    buffer = io.BytesIO()
    writer = pymupdf.DocumentWriter(buffer)
    for title, paragraphs in chapters():
        _set_chapter(writer, title, paragraphs)
    writer.close()
    with pymupdf.open(stream=buffer.getvalue(), filetype="pdf") as document:
        document.set_metadata({"title": TITLE, "creator": "piperoll"})
        for number, page in enumerate(document, start=1):
            page.insert_text((PAGE.width / 2 - 4, PAGE.height - MARGIN / 2), str(number), fontsize=9)
        document.save(path, garbage=3, deflate=True)
        return int(document.page_count)


def _set_chapter(writer: Any, title: str, paragraphs: list[str]) -> None:
    body = "".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs)
    story = pymupdf.Story(f"<h1>{html.escape(title)}</h1>{body}", user_css=STYLE)
    frame, more = PAGE + (MARGIN, MARGIN, -MARGIN, -MARGIN), 1  # noqa: RUF005 - a rectangle and its insets, added
    while more:
        device = writer.begin_page(PAGE)
        more, _ = story.place(frame)
        story.draw(device)
        writer.end_page()
