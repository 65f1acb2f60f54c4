"""Text of Word documents, presentations and spreadsheets as Markdown. Their ZIP has been checked before.

The libraries are imported at the first such file: together they take 0.3 s and 40 MiB.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any
from zipfile import ZipFile

from lxml import etree

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.files.kinds import KIND_NAMES, Kind
from services.worker.files.sources import Source
from services.worker.processors.extraction.markup import TITLE_CHARS, bounded_page, first_heading, tidy
from services.worker.processors.extraction.parts import (
    ExtractedText,
    OnPart,
    TextLimit,
    TextPart,
    checked_count,
    reading,
)

MAX_CELLS = 5_000_000
"""The limit of cells in a workbook, empty ones between others included."""
PROPERTIES = "docProps/core.xml"


def read_docx(source: Source) -> ExtractedText:
    """Return a Word document's text with its headings, lists, tables, footnotes and links."""
    with reading(KIND_NAMES[Kind.DOCX]):
        import mammoth

        with open(source.path, "rb") as file:  # noqa: PTH123 - keeps the descriptor's position
            html = mammoth.convert_to_html(file, convert_image=_no_image).value
        page = bounded_page(html)
        title = _title(source)
    part = TextLimit().part(TextPart.of(page.blocks))
    return ExtractedText(
        parts=(part,),
        method="native",
        title=title or first_heading(part.content),
        markdown=True,
        notes=page.notes,
    )


def read_pptx(source: Source, max_slides: int, on_part: OnPart) -> ExtractedText:
    """Return each slide's title, texts and tables from top to bottom, and the speaker's notes."""
    limit = TextLimit()
    parts = []
    with reading(KIND_NAMES[Kind.PPTX]):
        import pptx

        with open(source.path, "rb") as file:  # noqa: PTH123 - as above
            slides = pptx.Presentation(file).slides
        count = checked_count(len(slides), max_slides, "slide")
        for number, slide in enumerate(slides, 1):
            on_part(number, count)
            parts.append(TextPart(limit.add(tidy("\n\n".join(_slide_texts(slide))))))
        title = _title(source)
    return ExtractedText(tuple(parts), "native", unit="slide", title=title or _first_title(parts), markdown=True)


def read_xlsx(source: Source, max_sheets: int, on_part: OnPart) -> ExtractedText:
    """Return each sheet under its name as a table of its cells' values."""
    limit = TextLimit()
    parts = []
    with reading(KIND_NAMES[Kind.XLSX]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about formatting that openpyxl does not support
        import openpyxl

        with open(source.path, "rb") as file:  # noqa: PTH123 - as above
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheets = book.worksheets
            count = checked_count(len(sheets), max_sheets, "sheet")
            budget = _Budget()
            for number, sheet in enumerate(sheets, 1):
                on_part(number, count)
                rows = list(_rows(sheet, budget))
                table = markdown_table(rows)
                parts.append(TextPart(limit.add(f"## {sheet.title}\n\n{table}".strip())))
            book.close()
        title = _title(source)
    return ExtractedText(tuple(parts), "native", unit="sheet", title=title, markdown=True)


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a Markdown table with the first row as header, without empty columns."""
    width = max((len(row) for row in rows), default=0)
    used = [column for column in range(width) if any(column < len(row) and row[column] for row in rows)]
    lines = [_line(row[column] if column < len(row) else "" for column in used) for row in rows]
    if not lines:
        return ""
    return "\n".join([lines[0], _line("---" for _ in used), *lines[1:]])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"


def _no_image(image: Any) -> list[Any]:
    """Omit images: mammoth would insert their bytes into the text."""
    return []


def _title(source: Source) -> str:
    """Return the title in the document's properties (ISO/IEC 29500-2, 11.1), empty without one."""
    with ZipFile(source.path) as file:
        if PROPERTIES not in file.namelist():
            return ""
        content = file.read(PROPERTIES)
    found = None
    with suppress(etree.XMLSyntaxError):  # an invalid title does not fail the job
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        found = etree.fromstring(content, parser).findtext("{http://purl.org/dc/elements/1.1/}title")
    return " ".join((found or "").split())[:TITLE_CHARS]


def _first_title(parts: Sequence[TextPart]) -> str:
    return next((title for title in (first_heading(part.content) for part in parts) if title), "")


# --- slides -----------------------------------------------------------------------------------------------------


def _slide_texts(slide: Any) -> Iterator[str]:
    title = slide.shapes.title
    if title is not None and title.text_frame.text.strip():
        yield f"# {' '.join(title.text_frame.text.split())}"
    for shape in _in_order(slide.shapes):
        if title is None or shape.shape_id != title.shape_id:
            yield from _shape_texts(shape)
    if slide.has_notes_slide:
        notes = slide.notes_slide.notes_text_frame
        if notes is not None and notes.text.strip():
            yield f"### Notes\n\n{_paragraphs(notes)}"


def _in_order(shapes: Iterable[Any]) -> list[Any]:
    """Sort shapes from top to bottom; shapes that inherit their position from the layout come first."""
    return sorted(shapes, key=lambda shape: (shape.top or 0, shape.left or 0))


def _shape_texts(shape: Any) -> Iterator[str]:
    if hasattr(shape, "shapes"):  # a group
        for inner in _in_order(shape.shapes):
            yield from _shape_texts(inner)
    elif getattr(shape, "has_table", False):
        yield markdown_table([[cell.text for cell in row.cells] for row in shape.table.rows])
    elif getattr(shape, "has_chart", False):
        yield _chart(shape.chart)
    elif shape.has_text_frame:
        yield _paragraphs(shape.text_frame)


def _paragraphs(frame: Any) -> str:
    return "\n".join(" ".join(paragraph.text.split()) for paragraph in frame.paragraphs)


def _chart(chart: Any) -> str:
    """Return a chart's title and its numbers, a column per series; for unsupported charts only the title."""
    title = chart.chart_title.text_frame.text if chart.has_title and chart.chart_title.has_text_frame else ""
    rows: list[list[str]] = []
    with suppress(AttributeError, KeyError, ValueError):  # python-pptx supports the common kinds of charts only
        columns = [(str(series.name), list(series.values)) for plot in chart.plots for series in plot.series]
        rows.append(["", *(name for name, _ in columns)])
        for index, category in enumerate(chart.plots[0].categories):
            values = [_shown(numbers[index]) if index < len(numbers) else "" for _, numbers in columns]
            rows.append([str(category), *values])
    return f"{title}\n\n{markdown_table(rows)}".strip()


# --- sheets -----------------------------------------------------------------------------------------------------


class _Budget:
    """Counts cells. Raises ProcessingError FILE_TOO_LARGE above MAX_CELLS."""

    def __init__(self) -> None:
        self._left = MAX_CELLS

    def take(self, cells: int) -> None:
        self._left -= max(cells, 1)
        if self._left < 0:
            raise ProcessingError(ErrorCode.FILE_TOO_LARGE, f"The spreadsheet has more than {MAX_CELLS:,} cells.")


def _rows(sheet: Any, budget: _Budget) -> Iterator[list[str]]:
    """Yield the rows that are not empty, without empty cells at their end."""
    sheet.reset_dimensions()  # a wrong size in the file would fill up each row
    for row in sheet.iter_rows(values_only=True):
        budget.take(len(row))
        cells = [_shown(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield cells


def _shown(value: Any) -> str:
    """Return a cell's value as text: whole numbers without a point, times as ISO 8601."""
    match value:
        case None:
            return ""
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case datetime():
            return value.isoformat(" ") if value.time() != time() else value.date().isoformat()
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
    return str(value).strip()
