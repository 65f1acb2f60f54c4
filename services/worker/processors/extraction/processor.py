"""The `extraction` job (docs/contract/devana.md#job-types): the text and metadata of a file of any supported kind."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, Final, cast

from schemas.documents import ResolvedDocument
from schemas.errors import ErrorCode
from schemas.formats import Kind
from schemas.job_types.extraction import ExtractionParameters
from schemas.job_types.parameters import JobParameters
from schemas.job_types.values import OUTPUT_FILES
from services.worker.blocks.outputs import written
from services.worker.errors import ProcessingError
from services.worker.files.sources import Source, open_claim, open_source, open_url
from services.worker.layout.reading import READING as READING_OF_LAYOUT
from services.worker.ocr.engines import described
from services.worker.pages import mupdf
from services.worker.processors.extraction.binary_sheets import read_binary_sheets
from services.worker.processors.extraction.detection import detect_kind, end_marker_of
from services.worker.processors.extraction.epub import read_epub
from services.worker.processors.extraction.mail import read_mail, read_web_archive
from services.worker.processors.extraction.markup import read_html, read_rtf, read_svg, read_text
from services.worker.processors.extraction.office import read_docx, read_pptx, read_xlsx
from services.worker.processors.extraction.opendocument import read_open_document
from services.worker.processors.extraction.pages import PageReader, read_image
from services.worker.processors.extraction.parts import ExtractedText, OnPart, TextPart, storable
from services.worker.processors.extraction.pdf_pages import no_pictures, read_pdf
from services.worker.processors.pdf.pictures import Pictures, keep_page_images
from services.worker.processors.pdf.searchable import NOT_MADE, SEARCHABLE
from services.worker.processors.pdf.selected_pages import PassProgress, SelectedPages
from services.worker.run.page_care import nothing_left_out
from services.worker.run.workspace import ReportProgress, Result, Workspace

READER: Final = 6
"""The version of the text extraction: an increment invalidates cached results."""
NO_TEXT: Final = "There is no text in the file."
BEGUN, DRAWN_FROM, READ = 30, 60, 90
"""Percent when reading begins, when drawing begins, and when both are done."""
DRAWING: Final = "Drawing pages..."
PAGED: Final = frozenset({Kind.PDF, Kind.IMAGE})
"""Kinds that may need OCR."""

OF_DECLARED_LETTERS: Final = frozenset({Kind.HTML, Kind.MARKDOWN, Kind.CSV, Kind.JSON, Kind.TEXT})
"""Kinds that are read in the encoding that their server declares."""


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Run the job. Raises ProcessingError: UNSUPPORTED_FILE_TYPE, INVALID_DOCUMENT, INVALID_PDF, FILE_ENCRYPTED,
    PDF_ENCRYPTED, FILE_TOO_LARGE, TOO_MANY_PAGES, OCR_PROVIDER_UNAVAILABLE and those of its source; BlobStoreError.
    """
    params = cast(ExtractionParameters, parameters)
    report("initializing", 0)
    report("reading_file", 10)
    with _source(params, workspace) as source:
        written_ns = source.written_ns
        content = source.sha256()
        kind, media_type = detect_kind(source, workspace.limits.max_bytes)
        earlier = workspace.recall(
            params,
            without={"filename", "url", "document_id"},
            content=content,
            kind=kind.value,
            **_shaping(params, kind, workspace, source.charset),
        )
        if earlier is not None:
            title = earlier.structured_data["metadata"]["title"] or PurePath(source.name).stem
            return earlier.renamed({"fileName": source.name, "mimeType": media_type}, title=title)
        report("reading_document", BEGUN)
        extracted = _Reading(params, workspace, report).read(source, kind)
        report("finalizing", READ)
        result = _result(extracted, source, media_type, workspace, params)
        return replace(result, cacheable=nothing_left_out() and source.written_ns == written_ns)


# --- where the file is, and what it is --------------------------------------------------------------------------


def _source(params: ExtractionParameters, workspace: Workspace) -> AbstractContextManager[Source]:
    if params.url is not None:
        return open_url(params.url, workspace)
    if params.filename is not None:
        return open_source(params.filename, workspace, end_marker_of(params.filename))
    resolved = workspace.resolved
    if not isinstance(resolved, ResolvedDocument):
        raise ProcessingError(ErrorCode.FILE_NOT_FOUND, f"The document {params.document_id} does not exist.")
    return open_claim(resolved.content, resolved.name, workspace)


def _shaping(params: ExtractionParameters, kind: Kind, workspace: Workspace, charset: str) -> dict[str, Any]:
    """Return what determines the text besides the file and the parameters."""
    shaping: dict[str, Any] = {"reader": READER}
    if charset and kind in OF_DECLARED_LETTERS:
        shaping["charset"] = charset
    if params.output is not None and kind in PAGED:
        shaping["layout"] = READING_OF_LAYOUT
    if kind in PAGED:
        shaping["pdf"] = mupdf.pymupdf.__version__
        shaping["ocr"] = described(params.ocr_engine)
        shaping["ocr_languages"] = workspace.limits.ocr_languages
    return shaping


# --- reading ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reading:
    """The extraction of one file."""

    params: ExtractionParameters
    workspace: Workspace
    report: ReportProgress

    def read(self, source: Source, kind: Kind) -> ExtractedText:
        """Return the text by the reader of the kind. Raises ProcessingError INVALID_DOCUMENT for a damaged file."""
        limit = self.workspace.limits.max_pages
        match kind:
            case Kind.PDF | Kind.IMAGE:
                return self._read_pages(source, kind)
            case Kind.DOCX:
                return read_docx(source)
            case Kind.PPTX:
                return read_pptx(source, limit, self._on_part("slide"))
            case Kind.XLSX:
                return read_xlsx(source, limit, self._on_part("sheet"))
            case Kind.BINARY_SHEET:
                return read_binary_sheets(source, limit, self._on_part("sheet"))
            case Kind.RTF:
                return read_rtf(source)
            case Kind.OPEN_DOCUMENT:
                return read_open_document(source, limit, self._on_part("part"))
            case Kind.EPUB:
                return read_epub(source, limit, self._on_part("chapter"))
            case Kind.HTML:
                return read_html(source)
            case Kind.MAIL:
                return read_mail(source)
            case Kind.WEB_ARCHIVE:
                return read_web_archive(source)
            case Kind.SVG:
                return read_svg(source)
            case _:
                return read_text(source, kind)

    def _read_pages(self, source: Source, kind: Kind) -> ExtractedText:
        place = self.workspace
        reader = PageReader(self.params.ocr_engine, place.limits.ocr_languages, place.resume, place.finish)
        searchable = place.folder / SEARCHABLE if self.params.searchable_pdf else None
        most = place.limits.max_pages
        try:
            if kind is Kind.IMAGE:
                return read_image(source, most, reader, self._on_part("page"), searchable)
            draw = self._draw if self.params.include_images else no_pictures
            end = DRAWN_FROM if self.params.include_images else READ
            on_structure = None if self.params.output in (None, "text") else self._on_structure
            return read_pdf(source, most, reader, self._on_part("page", end), searchable, draw, on_structure)
        finally:
            reader.close()

    def _draw(self, selected: SelectedPages) -> Pictures:
        progress = PassProgress(self.report, "processing_images", DRAWN_FROM, READ, DRAWING)
        return keep_page_images(selected, progress, self.workspace)

    def _on_structure(self, number: int, count: int) -> None:
        self.report("reading_document", READ, f"Finding the structure of page {number} of {count}", number, count)

    def _on_part(self, unit: str, end: int = READ) -> OnPart:
        def on_part(number: int, count: int) -> None:
            percent = BEGUN + (end - BEGUN) * (number - 1) // count
            self.report("reading_document", percent, f"Reading {unit} {number} of {count}", number, count)

        return on_part


# --- the result -------------------------------------------------------------------------------------------------


def _result(
    extracted: ExtractedText, source: Source, media_type: str, workspace: Workspace, params: ExtractionParameters
) -> Result:
    """Return the result of docs/contract/secretary.md#results with the metadata of docs/contract/devana.md#metadata."""
    text = extracted.text
    words = len(text.split())
    pages = len(extracted.parts) if extracted.unit else None
    searchable = workspace.folder / SEARCHABLE
    unmade = (NOT_MADE,) if params.searchable_pdf and not searchable.exists() else ()
    notes = (*map(storable, extracted.notes or (() if words else (NO_TEXT,))), *unmade)
    metadata: dict[str, Any] = {
        "fileName": source.name,
        "fileSize": source.size,
        "mimeType": media_type,
        "extractionMethod": extracted.method,
        "words": words,
        "title": storable(extracted.title),
        "text_contents": [_content(number, part) for number, part in enumerate(extracted.parts, 1)],
        "warnings": list(notes),
    }
    metadata |= extracted.metadata
    if extracted.failed:
        metadata["failed_pages"] = list(extracted.failed)
    if extracted.images:
        metadata["image_paths"] = list(extracted.images)
    if pages is not None:
        metadata |= {"pageCount": pages, "pageUnit": extracted.unit}
    data = {
        "extracted_text": text,
        "title": metadata["title"] or PurePath(source.name).stem,
        "metadata": metadata,
    }
    assets = list(extracted.images)
    if searchable.exists():
        metadata["searchable_pdf"] = workspace.keep_file(SEARCHABLE, searchable, "application/pdf")
        assets.append(metadata["searchable_pdf"])
    name, kind = OUTPUT_FILES["markdown" if extracted.markdown else "text"]
    files = {name: (text.encode(), kind)}
    if params.output is not None:
        form, title = params.output, metadata["title"]
        output = written(form, title, extracted.unit, extracted.blocks, furniture=extracted.furniture)
        data["document"] = output.value
        files[output.name] = (output.content, output.media_type)
    return Result(
        structured_data=data,
        assets=(*(workspace.keep(name, *file) for name, file in files.items()), *assets),
        notes=notes,
        pages=pages,
        bytes_in=source.size,
        method=extracted.method,
        counts={"words": words},
    )


def _content(number: int, part: TextPart) -> dict[str, Any]:
    content: dict[str, Any] = {"page": number, "content": part.content, "text": part.content, "method": part.method}
    if part.score is not None:
        content["score"] = round(part.score, 4)
    return content
