"""The `extraction` job (docs/contract/devana.md#job-types): the text and metadata of a file of any supported kind."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath
from typing import Any, Final, cast

from schemas.documents import ResolvedDocument
from schemas.errors import ErrorCode
from schemas.job_types.extraction import ExtractionParameters
from schemas.job_types.parameters import JobParameters
from services.worker.errors import ProcessingError
from services.worker.files.kinds import (
    HEAD_BYTES,
    Kind,
    is_ole,
    is_zip,
    kind_of,
    media_type_by,
)
from services.worker.files.sources import Source, open_claim, open_source, open_url
from services.worker.files.zip_bounds import ZipContents, check_zip
from services.worker.ocr.engines import described
from services.worker.pages import mupdf
from services.worker.processors.extraction.markup import read_epub, read_html, read_text
from services.worker.processors.extraction.office import read_docx, read_pptx, read_xlsx
from services.worker.processors.extraction.pages import PageReader, read_image
from services.worker.processors.extraction.parts import ExtractedText, OnPart, TextPart, storable
from services.worker.processors.extraction.pdf_pages import read_pdf
from services.worker.processors.pdf.searchable import NOT_MADE, SEARCHABLE
from services.worker.run.workspace import ReportProgress, Result, Workspace

READER: Final = 3
"""The version of the text extraction: an increment invalidates cached results."""
INFLATED: Final = 4
"""A ZIP may unpack to this multiple of the maximum file size."""
END_MARKERS: Final = {".pdf": b"%%EOF", ".docx": b"PK\x05\x06", ".pptx": b"PK\x05\x06", ".xlsx": b"PK\x05\x06"}
"""The marker at the end of a complete file (docs/contract/secretary.md#conventions), by extension."""
ENCRYPTED_STREAM: Final = "EncryptedPackage".encode("utf-16-le")  # MS-OFFCRYPTO, 2.3.4.4
NO_TEXT: Final = "There is no text in the file."
PIECE_BYTES: Final = 1024**2
PAGED: Final = frozenset({Kind.PDF, Kind.IMAGE})
"""Kinds that may need OCR."""


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
        kind, media_type = _detect_kind(source, workspace.limits.max_bytes)
        earlier = workspace.recall(
            params,
            without={"filename", "url", "document_id"},
            content=content,
            kind=kind.value,
            **_shaping(params, kind, workspace),
        )
        if earlier is not None:
            title = earlier.structured_data["metadata"]["title"] or PurePath(source.name).stem
            return earlier.renamed({"fileName": source.name, "mimeType": media_type}, title=title)
        report("reading_document", 30)
        extracted = _Reading(params, workspace, report).read(source, kind)
        report("finalizing", 90)
        result = _result(extracted, source, media_type, workspace, params.searchable_pdf)
        return replace(result, cacheable=not extracted.skipped and source.written_ns == written_ns)


# --- where the file is, and what it is --------------------------------------------------------------------------


def _source(params: ExtractionParameters, workspace: Workspace) -> AbstractContextManager[Source]:
    if params.url is not None:
        return open_url(params.url, workspace)
    if params.filename is not None:
        marker = END_MARKERS.get(PurePath(params.filename).suffix.lower(), b"")
        return open_source(params.filename, workspace, marker)
    resolved = workspace.resolved
    if not isinstance(resolved, ResolvedDocument):
        raise ProcessingError(ErrorCode.FILE_NOT_FOUND, f"The document {params.document_id} does not exist.")
    return open_claim(resolved.content, resolved.name, workspace)


def _detect_kind(source: Source, max_bytes: int) -> tuple[Kind, str]:
    """Return a file's kind and media type. A ZIP is checked before a library opens it."""
    with open(source.path, "rb") as file:  # noqa: PTH123 - keeps the descriptor's position
        head = file.read(HEAD_BYTES)
    if is_ole(head) and _is_encrypted_office(source):
        raise ProcessingError(
            ErrorCode.FILE_ENCRYPTED, "The Office file is protected by a password: send it without one."
        )
    zipped = check_zip(source.path, source.size, INFLATED * max_bytes) if is_zip(head) else ZipContents(frozenset(), "")
    kind = kind_of(head, zipped.names, zipped.packed_type, source.name, source.media_type)
    return kind, media_type_by(kind, source.name, head)


def _is_encrypted_office(source: Source) -> bool:
    """Whether an OLE container holds a password-protected Office file, by the name of a stream in its directory."""
    rest = b""
    with open(source.path, "rb") as file:  # noqa: PTH123 - as above
        while piece := file.read(PIECE_BYTES):
            if ENCRYPTED_STREAM in rest + piece:
                return True
            rest = piece[-len(ENCRYPTED_STREAM) :]
    return False


def _shaping(params: ExtractionParameters, kind: Kind, workspace: Workspace) -> dict[str, Any]:
    """Return what determines the text besides the file and the parameters."""
    shaping: dict[str, Any] = {"reader": READER}
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
            case Kind.EPUB:
                return read_epub(source, limit, self._on_part("chapter"))
            case Kind.HTML:
                return read_html(source)
            case _:
                return read_text(source, kind)

    def _read_pages(self, source: Source, kind: Kind) -> ExtractedText:
        place = self.workspace
        reader = PageReader(self.params.ocr_engine, place.limits.ocr_languages, place.resume, place.finish)
        read = partial(read_pdf if kind is Kind.PDF else read_image, source, self.workspace.limits.max_pages)
        searchable = place.folder / SEARCHABLE if self.params.searchable_pdf else None
        try:
            return read(reader, self._on_part("page"), searchable)
        finally:
            reader.close()

    def _on_part(self, unit: str) -> OnPart:
        def on_part(number: int, count: int) -> None:
            percent = 30 + 60 * (number - 1) // count
            self.report("reading_document", percent, f"Reading {unit} {number} of {count}", number, count)

        return on_part


# --- the result -------------------------------------------------------------------------------------------------


def _result(
    extracted: ExtractedText, source: Source, media_type: str, workspace: Workspace, wants_searchable: bool
) -> Result:
    """Return the result of docs/contract/secretary.md#results with the metadata of docs/contract/devana.md#metadata."""
    text = extracted.text
    words = len(text.split())
    pages = len(extracted.parts) if extracted.unit else None
    searchable = workspace.folder / SEARCHABLE
    unmade = (NOT_MADE,) if wants_searchable and not searchable.exists() else ()
    notes = (*(extracted.notes or (() if words else (NO_TEXT,))), *unmade)
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
    if pages is not None:
        metadata |= {"pageCount": pages, "pageUnit": extracted.unit}
    assets = []
    if searchable.exists():
        metadata["searchable_pdf"] = workspace.keep_file(SEARCHABLE, searchable, "application/pdf")
        assets.append(metadata["searchable_pdf"])
    name, kind = ("text.md", "markdown") if extracted.markdown else ("text.txt", "plain")
    return Result(
        structured_data={
            "extracted_text": text,
            "title": metadata["title"] or PurePath(source.name).stem,
            "metadata": metadata,
        },
        assets=(workspace.keep(name, text.encode(), f"text/{kind}; charset=utf-8"), *assets),
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
