"""OpenDocument texts, spreadsheets, presentations and drawings."""

from typing import cast

from schemas.formats import OF_KIND, Kind
from services.worker.blocks.markdown import markdown
from services.worker.files.sources import Source
from services.worker.office.notes import NoteList
from services.worker.opendocument.document import opened
from services.worker.processors.extraction.office import Budget, first_heading
from services.worker.processors.extraction.parts import (
    ExtractedText,
    OnPart,
    TextLimit,
    TextPart,
    Unit,
    checked_count,
    reading,
)


def read_open_document(source: Source, max_parts: int, on_part: OnPart) -> ExtractedText:
    """Return the text, or each sheet, slide or page. Raises ProcessingError FILE_ENCRYPTED, TOO_MANY_PAGES,
    FILE_TOO_LARGE.
    """
    limit, notes = TextLimit(), NoteList()
    parts: list[TextPart] = []
    missing: list[str] = []
    with reading(OF_KIND[Kind.OPEN_DOCUMENT].name), opened(source.path, notes, Budget().take) as document:
        unit = cast(Unit | None, document.unit)
        elements = document.parts()
        count = checked_count(len(elements), max_parts, unit or "page")
        headers, footers = document.furniture()
        for number, element in enumerate(elements, 1):
            on_part(number, count)
            found, lost = document.blocks(element)
            blocks = (*headers, *found, *footers)
            parts.append(limit.part(TextPart(markdown(blocks, escaped=False, furniture=True), blocks=blocks)))
            missing += lost
        title = document.title() or first_heading(one for part in parts for one in part.blocks)
    return ExtractedText(
        tuple(parts),
        "native",
        unit=unit,
        title=title,
        markdown=True,
        notes=(*notes.all(), *missing),
        furniture=True,
    )
