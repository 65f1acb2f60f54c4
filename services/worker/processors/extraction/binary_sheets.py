"""Spreadsheets in binary forms: XLS (MS-XLS) and XLSB (MS-XLSB), by python-calamine."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from schemas.blocks import Block, BlockKind, Cell, Span, block
from schemas.errors import ErrorCode
from schemas.formats import OF_KIND, Kind
from services.worker.errors import ProcessingError
from services.worker.files.sources import Source
from services.worker.office.numbers.formats import general
from services.worker.processors.extraction.office import MAX_CELLS, Budget
from services.worker.processors.extraction.parts import (
    ExtractedText,
    OnPart,
    TextLimit,
    TextPart,
    checked_count,
    reading,
)

CELLS_ALONE: Final = (
    "Of this kind of spreadsheet the cells are read, numbers without their formats; comments, charts and text boxes "
    "are not. Save it as XLSX to have them read."
)
PANIC: Final = "PanicException"
"""What a fault in the library's Rust code becomes, which does not derive from Exception."""


def read_binary_sheets(source: Source, max_sheets: int, on_part: OnPart) -> ExtractedText:
    """Return each sheet under its name as a table. Raises ProcessingError FILE_ENCRYPTED, FILE_TOO_LARGE,
    TOO_MANY_PAGES.
    """
    limit, budget = TextLimit(), Budget()
    parts = []
    with reading(OF_KIND[Kind.BINARY_SHEET].name), _workbook(source) as book:
        count = checked_count(len(book.sheet_names), max_sheets, "sheet")
        for number, name in enumerate(book.sheet_names, 1):
            on_part(number, count)
            heading = block(BlockKind.HEADING, name, 2)
            parts.append(limit.part(TextPart.of((heading, *_table(book, number - 1, budget)))))
    return ExtractedText(tuple(parts), "native", unit="sheet", markdown=True, notes=(CELLS_ALONE,))


@contextmanager
def _workbook(source: Source) -> Iterator[Any]:
    from python_calamine import CalamineWorkbook, PasswordError

    source.file.seek(0)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(source.file.read())) as book:
            yield book
    except PasswordError as error:
        raise ProcessingError(
            ErrorCode.FILE_ENCRYPTED, "The file is protected by a password: send it without one."
        ) from error
    except BaseException as error:
        if type(error).__name__ != PANIC:
            raise
        raise LookupError("the library failed") from error


def _table(book: Any, index: int, budget: Budget) -> Iterator[Block]:
    """Yield the table of a sheet; none of a sheet of charts alone."""
    sheet = book.get_sheet_by_index(index)
    if sheet.height * sheet.width > MAX_CELLS:
        raise ProcessingError(ErrorCode.FILE_TOO_LARGE, f"The spreadsheet has more than {MAX_CELLS:,} cells.")
    rows = [[shown(value) for value in row] for row in sheet.to_python(skip_empty_area=True)]
    for row in rows:
        budget.take(len(row), sum(map(len, row)))
    used = [index for index in range(max(map(len, rows), default=0)) if any(row[index] for row in rows)]
    kept = [row for row in rows if any(row)]
    if kept:
        cells = tuple(tuple(Cell((Span(row[index]),) if row[index] else ()) for index in used) for row in kept)
        yield Block(BlockKind.TABLE, rows=cells)


def shown(value: Any) -> str:
    """Return a cell's value as a text."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return general(float(value))
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
        case date():
            return value.isoformat()
        case time():
            return value.isoformat("seconds")
        case timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    return "" if value is None else str(value)
