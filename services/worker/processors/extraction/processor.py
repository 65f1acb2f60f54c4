"""The `extraction` job (contract 15d): the text of a file of any kind that is known, and what there is to say of it.

What a file is stands in `file_kinds`; how each kind is read, in the `extraction_*` modules beside this one.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
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
from services.worker.files.zip_bounds import Zipped, look_over
from services.worker.pages import mupdf
from services.worker.processors.extraction.markup import read_epub, read_html, read_text
from services.worker.processors.extraction.office import read_docx, read_pptx, read_xlsx
from services.worker.processors.extraction.pages import PageReader, read_image, read_pdf
from services.worker.processors.extraction.parts import Extracted, Tell, TextPart, storable
from services.worker.run.workspace import ReportProgress, Result, Workspace

READER: Final = 1
"""Raised when texts are read in another way, so that earlier results are not taken over."""
INFLATED: Final = 4
"""A ZIP may unpack to so many times the largest file that a job may read."""
END_MARKERS: Final = {".pdf": b"%%EOF", ".docx": b"PK\x05\x06", ".pptx": b"PK\x05\x06", ".xlsx": b"PK\x05\x06"}
"""What a file ends with that is no longer being written (contract 1), by the ending of its name."""
ENCRYPTED_STREAM: Final = "EncryptedPackage".encode("utf-16-le")  # MS-OFFCRYPTO, 2.3.4.4
NO_TEXT: Final = "There is no text in the file."
PIECE_BYTES: Final = 1024**2
PAGED: Final = frozenset({Kind.PDF, Kind.IMAGE})
"""Kinds whose parts may be read by OCR."""


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Extracts. Raises ProcessingError: UNSUPPORTED_FILE_TYPE, INVALID_DOCUMENT, INVALID_PDF, FILE_ENCRYPTED,
    PDF_ENCRYPTED, FILE_TOO_LARGE, TOO_MANY_PAGES, OCR_PROVIDER_UNAVAILABLE and those of its source; BlobStoreError.
    """
    asked = cast(ExtractionParameters, parameters)
    report("initializing", 0)
    report("reading_file", 10)
    with _source(asked, workspace) as source:
        written_ns = source.written_ns
        content = source.sha256()
        kind, media_type = _recognised(source, workspace.limits.max_bytes)
        earlier = workspace.recall(
            asked,
            without={"filename", "url", "document_id"},
            content=content,
            kind=kind.value,
            **_shaping(asked, kind, workspace),
        )
        if earlier is not None:
            title = earlier.structured_data["metadata"]["title"] or PurePath(source.name).stem
            return earlier.renamed({"fileName": source.name, "mimeType": media_type}, title=title)
        report("reading_document", 30)
        extracted = _Reading(asked, workspace, report).read(source, kind)
        report("finalizing", 90)
        result = _result(extracted, source, media_type, workspace)
        return replace(result, cacheable=source.written_ns == written_ns)


# --- where the file is, and what it is --------------------------------------------------------------------------


def _source(asked: ExtractionParameters, workspace: Workspace) -> AbstractContextManager[Source]:
    if asked.url is not None:
        return open_url(asked.url, workspace)
    if asked.filename is not None:
        marker = END_MARKERS.get(PurePath(asked.filename).suffix.lower(), b"")
        return open_source(asked.filename, workspace, marker)
    resolved = workspace.resolved
    if not isinstance(resolved, ResolvedDocument):
        raise ProcessingError(ErrorCode.FILE_NOT_FOUND, f"There is no document {asked.document_id}.")
    return open_claim(resolved.content, resolved.name, workspace)


def _recognised(source: Source, max_bytes: int) -> tuple[Kind, str]:
    """The kind of a file and its media type. A ZIP is read through once before anything opens it."""
    with open(source.path, "rb") as file:  # noqa: PTH123 - the descriptor's own position stays where it is
        head = file.read(HEAD_BYTES)
    if is_ole(head) and _is_encrypted_office(source):
        raise ProcessingError(
            ErrorCode.FILE_ENCRYPTED, "The Office file is protected by a password: send it without one."
        )
    zipped = look_over(source.path, source.size, INFLATED * max_bytes) if is_zip(head) else Zipped(frozenset(), "")
    kind = kind_of(head, zipped.names, zipped.packed_type, source.name, source.media_type)
    return kind, media_type_by(kind, source.name, head)


def _is_encrypted_office(source: Source) -> bool:
    """Whether the container of an Office file holds one that a password protects: it is named in the directory."""
    rest = b""
    with open(source.path, "rb") as file:  # noqa: PTH123 - as above
        while piece := file.read(PIECE_BYTES):
            if ENCRYPTED_STREAM in rest + piece:
                return True
            rest = piece[-len(ENCRYPTED_STREAM) :]
    return False


def _shaping(asked: ExtractionParameters, kind: Kind, workspace: Workspace) -> dict[str, Any]:
    """What shapes the text beside the file and the parameters."""
    shaping: dict[str, Any] = {"reader": READER}
    if kind in PAGED:
        shaping["pdf"] = mupdf.pymupdf.__version__
        shaping["ocr"] = f"rapidocr {version('rapidocr')}" if asked.ocr_engine == "rapidocr" else "tesseract"
        shaping["ocr_languages"] = workspace.limits.ocr_languages
    return shaping


# --- reading ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reading:
    """One run over one file."""

    asked: ExtractionParameters
    workspace: Workspace
    report: ReportProgress

    def read(self, source: Source, kind: Kind) -> Extracted:
        """The text, by the reader of the kind. Raises ProcessingError INVALID_DOCUMENT for a file without any."""
        limit = self.workspace.limits.max_pages
        match kind:
            case Kind.PDF | Kind.IMAGE:
                return self._read_pages(source, kind)
            case Kind.DOCX:
                return read_docx(source)
            case Kind.PPTX:
                return read_pptx(source, limit, self._tell("slide"))
            case Kind.XLSX:
                return read_xlsx(source, limit, self._tell("sheet"))
            case Kind.EPUB:
                return read_epub(source, limit, self._tell("chapter"))
            case Kind.HTML:
                return read_html(source)
            case _:
                return read_text(source, kind)

    def _read_pages(self, source: Source, kind: Kind) -> Extracted:
        reader = PageReader(self.asked.ocr_engine, self.workspace.limits.ocr_languages)
        read = partial(read_pdf if kind is Kind.PDF else read_image, source, self.workspace.limits.max_pages)
        try:
            return read(reader, self._tell("page"))
        finally:
            reader.close()

    def _tell(self, unit: str) -> Tell:
        def tell(number: int, count: int) -> None:
            percent = 30 + 60 * (number - 1) // count
            self.report("reading_document", percent, f"Reading {unit} {number} of {count}", number, count)

        return tell


# --- the result -------------------------------------------------------------------------------------------------


def _result(extracted: Extracted, source: Source, media_type: str, workspace: Workspace) -> Result:
    """Contract 6, with the metadata of contract 15a."""
    text = extracted.text
    words = len(text.split())
    pages = len(extracted.parts) if extracted.unit else None
    notes = extracted.notes or (() if words else (NO_TEXT,))
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
    if pages is not None:
        metadata |= {"pageCount": pages, "pageUnit": extracted.unit}
    name, kind = ("text.md", "markdown") if extracted.markdown else ("text.txt", "plain")
    return Result(
        structured_data={
            "extracted_text": text,
            "title": metadata["title"] or PurePath(source.name).stem,
            "metadata": metadata,
        },
        assets=(workspace.keep(name, text.encode(), f"text/{kind}; charset=utf-8"),),
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
