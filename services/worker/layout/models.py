"""The layout and table models in PyMuPDF's wheel, asked for one page at a time.

Import this module in a child process only, as `mupdf`. The models are loaded when a page first needs them: 0.7 s of
CPU and 90 MiB, and 0.3 to 1 s for each page.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any, Final

from piperoll.embeddings.local import NO_TELEMETRY
from schemas.blocks import Box
from services.worker.blocks.net import block_texts, missing
from services.worker.layout.regions import PageLayout, Region, RegionLine, Run
from services.worker.layout.ruled import PlacedWord, html_of, is_of
from services.worker.markup.page import read_page
from services.worker.pages import mupdf
from services.worker.run.memory import raise_if_memory

LIGATURES: Final = str.maketrans(
    {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl", "\ufb05": "st", "\ufb06": "st"}
)
ITALIC, MONO, BOLD = 2, 8, 16
"""Flags of a span in PyMuPDF's dictionaries."""
DIGITS: Final = 2  # of a place, in points


def page_layout(document: Any, number: int) -> PageLayout | None:
    """Return the regions of page `number` (from 1); None if the models fail on it.

    The document is changed: its pages are no longer rotated. Raises MemoryError.
    """
    try:
        page = document.load_page(number - 1)
        with mupdf.unticked(document, page):
            found = parser().parse_document(
                document, pages=[number - 1], use_ocr=False, force_text=True, render_html_tables=True
            )
            ruled = _ruled(page) if any(box.table for one in found.pages for box in one.boxes) else []
    except Exception as error:  # noqa: BLE001 -- the models raise whatever an odd page leads them to
        raise_if_memory(error)
        return None
    return PageLayout(tuple(_with_lines(_region(box), ruled) for one in found.pages for box in one.boxes))


def _ruled(page: Any) -> list[tuple[Box, str]]:
    """Return the tables with merged cells that lines draw on a page: their boxes and HTML."""
    words = [
        PlacedWord(word[:4], _clean(word[4])) for word in page.get_text("words", flags=mupdf.TEXT_FLAGS, sort=True)
    ]
    tables = page.find_tables(strategy="lines_strict", use_layout=False).tables
    found = ((_box(table.bbox), html_of([_box(cell) for cell in table.cells], words)) for table in tables)
    return [(box, html) for box, html in found if html]


def _with_lines(region: Region, ruled: list[tuple[Box, str]]) -> Region:
    """Return a table as its lines divide it, if it has the same words then."""
    for box, html in ruled if region.html else ():
        wanted, got = (block_texts(read_page(source).blocks) for source in (region.html, html))
        if is_of(region.box, box) and not missing((("", text) for text in wanted), got):
            return replace(region, box=box, html=html)
    return region


@cache
def parser() -> Any:
    """Load the models and return what reads pages by them. `mupdf` blocks these modules for all other work."""
    for name in mupdf.LAYOUT_MODULES:
        if sys.modules.get(name, mupdf) is None:
            del sys.modules[name]
    os.putenv(*NO_TELEMETRY)
    with _one_thread():
        import_module("pymupdf.layout")
        return import_module("pymupdf4llm.helpers.document_layout")


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let sessions that are made meanwhile have one thread each: a child has a core, and PyMuPDF sets no number."""
    runtime: Any = import_module("onnxruntime")
    original = runtime.SessionOptions

    def options() -> Any:
        made = original()
        made.intra_op_num_threads = made.inter_op_num_threads = 1
        return made

    runtime.SessionOptions = options
    try:
        yield
    finally:
        runtime.SessionOptions = original


def _region(found: Any) -> Region:
    lines = tuple(_line(line) for line in found.textlines or () if line["spans"])
    return Region(found.boxclass, _box((found.x0, found.y0, found.x1, found.y1)), lines, _html(found.table))


def _html(table: Any) -> str:
    if not table:
        return ""
    if html := table.get("html"):
        return str(html)
    rows = ("".join(f"<td>{_escaped(cell or '')}</td>" for cell in row) for row in table.get("extract") or ())
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _line(found: Any) -> RegionLine:
    return RegionLine(_box(found["bbox"]), tuple(_run(span) for span in found["spans"]))


def _run(span: Any) -> Run:
    flags, box = span["flags"], span["bbox"]
    left, right = round(box[0], DIGITS), round(box[2], DIGITS)
    return Run(
        _clean(span["text"]), left, right, span["size"], bool(flags & BOLD), bool(flags & ITALIC), bool(flags & MONO)
    )


def _clean(text: str) -> str:
    return text.translate(LIGATURES).encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _box(box: Any) -> Box:
    left, top, right, bottom = (round(float(edge), DIGITS) for edge in box)
    return left, top, right, bottom
