"""The `pdf` job with `extraction_method: native`: the text layer page by page, and page images if asked for."""

from dataclasses import dataclass, field
from typing import Any, cast

from schemas.errors import ErrorCode
from schemas.parameters import JobParameters, PdfParameters
from services.worker.processors import mupdf
from services.worker.processors.contract import ProcessingError, Report, Result, Workspace
from services.worker.processors.sources import Source, open_source

END_MARKER = b"%%EOF"  # ISO 32000-1, 7.5.5
NAMED_PAGES = 20  # as many page numbers as a warning lists


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of going through pages: a value for each page that could be read, the numbers of the others."""

    values: dict[int, str] = field(default_factory=dict)
    broken: list[int] = field(default_factory=list)

    def note(self, number: int, value: str | None) -> None:
        """Takes the value of a page in, None for a broken one."""
        if value is None:
            self.broken.append(number)
        else:
            self.values[number] = value


def process(parameters: JobParameters, workspace: Workspace, report: Report) -> Result:
    """Extracts (contract 4a, 5, 6). Raises ProcessingError with the codes of contract 16, BlobStoreError."""
    asked = cast(PdfParameters, parameters)
    report("initializing", 0)
    report("reading_file", 10)
    with (
        open_source(asked.filename, workspace, END_MARKER) as source,
        mupdf.open_pdf(source.path) as document,
    ):
        pages = _pages(asked, mupdf.page_count(document), workspace.limits.max_pages)
        report("extracting_text", 30, "Extracting text from PDF...", pages=len(pages))
        texts = _read_texts(document, pages, report)
        images = _read_images(document, pages, workspace, report) if asked.include_images else None
        report("finalizing", 90)
        return _result(source, document, texts, images, workspace)


def _pages(asked: PdfParameters, count: int, limit: int) -> range:
    """The page numbers to read, from 1 (contract 4a). The limit counts the document's pages."""
    if count > limit:
        raise ProcessingError(
            ErrorCode.TOO_MANY_PAGES, f"The document has {count:,} pages; at most {limit:,} are allowed."
        )
    first = asked.page_start or 1
    if first > count:
        raise ProcessingError(
            ErrorCode.PAGE_RANGE_INVALID, f"page_start is {first}, but the document ends with page {count}."
        )
    return range(first, min(asked.page_end or count, count) + 1)


def _read_texts(document: Any, pages: range, report: Report) -> Reading:
    reading = Reading()
    for index, number in enumerate(pages):
        percent = 30 + 30 * index // len(pages)
        report("extracting_text", percent, "Extracting text from PDF...", index + 1, len(pages))
        reading.note(number, mupdf.page_text(document, number))
    if not reading.values:
        raise ProcessingError(ErrorCode.INVALID_PDF, "The PDF is damaged: none of its pages can be read.")
    return reading


def _read_images(document: Any, pages: range, workspace: Workspace, report: Report) -> Reading:
    """Draws and stores page by page, so that one image at a time is in memory."""
    reading = Reading()
    for index, number in enumerate(pages):
        percent = 60 + 20 * index // len(pages)
        report("processing_images", percent, "Drawing pages...", index + 1, len(pages))
        image = mupdf.page_jpeg(document, number)
        name = f"images/page_{number:03d}.jpg"
        reading.note(number, None if image is None else workspace.keep(name, image, "image/jpeg"))
    return reading


def _result(source: Source, document: Any, texts: Reading, images: Reading | None, workspace: Workspace) -> Result:
    numbers = sorted([*texts.values, *texts.broken])
    contents = [(number, texts.values.get(number, "")) for number in numbers]
    assets = tuple(images.values.values()) if images else ()
    metadata = {
        "file_name": source.name,
        "file_size": source.size,
        "page_count": document.page_count,
        "page_start": numbers[0],
        "page_end": numbers[-1],
        "format": "pdf",
        "extraction_method": "native",
        "process_dir": workspace.target_dir,
        "image_paths": list(assets),
        "preview_paths": [],
        "text_paths": [],
        "text_contents": [
            {"page": number, "content": text, "text": text, "method": "native"} for number, text in contents
        ],
        "warnings": _warnings(document, texts, images),
    }
    extracted = "\n".join(f"--- Seite {number} ---\n{text}" for number, text in contents)
    return Result(
        structured_data={"extracted_text": extracted, "metadata": metadata},
        assets=assets,
        pages=len(numbers),
        bytes_in=source.size,
    )


def _warnings(document: Any, texts: Reading, images: Reading | None) -> list[str]:
    empty = [number for number, text in texts.values.items() if not text.strip()]
    warnings = []
    if document.is_repaired and empty:
        warnings.append(
            f"The file is damaged and was repaired; no text was found on {_named(empty)}, which may be a loss."
        )
    elif document.is_repaired:
        warnings.append("The file is damaged and was repaired; parts of it may be missing.")
    if texts.broken:
        warnings.append(f"The text of {_named(texts.broken)} cannot be read.")
    if images and images.broken:
        warnings.append(f"No image could be drawn of {_named(images.broken)}.")
    return warnings


def _named(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:NAMED_PAGES])
    more = len(numbers) - NAMED_PAGES
    return f"page{'s' if len(numbers) > 1 else ''} {shown}{f' and {more} more' if more > 0 else ''}"
