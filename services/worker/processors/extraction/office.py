"""Text of Word documents, presentations and spreadsheets as Markdown. Their ZIP has been looked over before.

The libraries are imported when the first such file comes: together they take 0.3 s and 40 MiB.
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
from services.worker.files.kinds import WORDS, Kind
from services.worker.files.sources import Source
from services.worker.processors.extraction.markup import TITLE_CHARS, as_markdown, first_heading, tidy
from services.worker.processors.extraction.parts import Extracted, Tell, TextPart, Volume, checked_count, reading

MAX_CELLS = 5_000_000
"""Cells of a workbook that are looked at, empty ones between others included."""
PROPERTIES = "docProps/core.xml"


def read_docx(source: Source) -> Extracted:
    """A Word document with its headings, lists, tables, footnotes and links."""
    with reading(WORDS[Kind.DOCX]):
        import mammoth

        with open(source.path, "rb") as file:  # noqa: PTH123 - the descriptor's own position stays where it is
            html = mammoth.convert_to_html(file, convert_image=_no_image).value
        page = as_markdown(html)
        title = _title(source)
    return Extracted(
        parts=(TextPart(Volume().add(page.text)),),
        method="native",
        title=title or first_heading(page.text),
        markdown=True,
        notes=page.notes,
    )


def read_pptx(source: Source, max_slides: int, tell: Tell) -> Extracted:
    """A presentation: of each slide its title, texts and tables from top to bottom, and the speaker's notes."""
    volume = Volume()
    parts = []
    with reading(WORDS[Kind.PPTX]):
        import pptx

        with open(source.path, "rb") as file:  # noqa: PTH123 - as above
            slides = pptx.Presentation(file).slides
        count = checked_count(len(slides), max_slides, "slide")
        for number, slide in enumerate(slides, 1):
            tell(number, count)
            parts.append(TextPart(volume.add(tidy("\n\n".join(_slide_texts(slide))))))
        title = _title(source)
    return Extracted(tuple(parts), "native", unit="slide", title=title or _first_title(parts), markdown=True)


def read_xlsx(source: Source, max_sheets: int, tell: Tell) -> Extracted:
    """A workbook: each sheet under its name as a table of the values that its cells show."""
    volume = Volume()
    parts = []
    with reading(WORDS[Kind.XLSX]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of decorations that openpyxl does not keep
        import openpyxl

        with open(source.path, "rb") as file:  # noqa: PTH123 - as above
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            sheets = book.worksheets
            count = checked_count(len(sheets), max_sheets, "sheet")
            budget = _Budget()
            for number, sheet in enumerate(sheets, 1):
                tell(number, count)
                rows = list(_rows(sheet, budget))
                table = markdown_table(rows)
                parts.append(TextPart(volume.add(f"## {sheet.title}\n\n{table}".strip())))
            book.close()
        title = _title(source)
    return Extracted(tuple(parts), "native", unit="sheet", title=title, markdown=True)


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table, the first as its head, without columns that are empty throughout."""
    width = max((len(row) for row in rows), default=0)
    used = [column for column in range(width) if any(column < len(row) and row[column] for row in rows)]
    lines = [_line(row[column] if column < len(row) else "" for column in used) for row in rows]
    if not lines:
        return ""
    return "\n".join([lines[0], _line("---" for _ in used), *lines[1:]])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"


def _no_image(image: Any) -> list[Any]:
    """Pictures of a document are left out: mammoth would put their bytes into the text."""
    return []


def _title(source: Source) -> str:
    """The title among the document's properties (ISO/IEC 29500-2, 11.1), empty without one."""
    with ZipFile(source.path) as file:
        if PROPERTIES not in file.namelist():
            return ""
        content = file.read(PROPERTIES)
    found = None
    with suppress(etree.XMLSyntaxError):  # a title is no reason to refuse a document
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
    """Shapes from top to bottom; what inherits its place from the layout stays in front, in its own order."""
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
    """A chart's title and its numbers, a column for each series; of a rarer kind of chart the title alone."""
    title = chart.chart_title.text_frame.text if chart.has_title and chart.chart_title.has_text_frame else ""
    rows: list[list[str]] = []
    with suppress(AttributeError, KeyError, ValueError):  # python-pptx knows the common kinds of charts
        columns = [(str(series.name), list(series.values)) for plot in chart.plots for series in plot.series]
        rows.append(["", *(name for name, _ in columns)])
        for index, category in enumerate(chart.plots[0].categories):
            values = [_shown(numbers[index]) if index < len(numbers) else "" for _, numbers in columns]
            rows.append([str(category), *values])
    return f"{title}\n\n{markdown_table(rows)}".strip()


# --- sheets -----------------------------------------------------------------------------------------------------


class _Budget:
    """Counts the cells that are looked at. Raises ProcessingError FILE_TOO_LARGE beyond the limit."""

    def __init__(self) -> None:
        self._left = MAX_CELLS

    def take(self, cells: int) -> None:
        self._left -= max(cells, 1)
        if self._left < 0:
            raise ProcessingError(ErrorCode.FILE_TOO_LARGE, f"The spreadsheet has more than {MAX_CELLS:,} cells.")


def _rows(sheet: Any, budget: _Budget) -> Iterator[list[str]]:
    """The rows that hold anything, each up to its last cell that does."""
    sheet.reset_dimensions()  # what a sheet says of its size may be a lie, and each row would be filled up to it
    for row in sheet.iter_rows(values_only=True):
        budget.take(len(row))
        cells = [_shown(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield cells


def _shown(value: Any) -> str:
    """A cell's value in words: whole numbers without a point, times as ISO 8601."""
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
