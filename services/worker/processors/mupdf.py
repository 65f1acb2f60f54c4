"""PyMuPDF behind the few calls that processors make: open, text of a page, image of a page. No job is known here.

Import this module in a child process only: MuPDF is not thread-safe, may crash, and may spin for ever.
"""

import math
import sys
from importlib import import_module
from typing import Any

from schemas.errors import ErrorCode
from services.worker.processors.contract import ProcessingError

# PyMuPDF 2.0 imports its layout analysis, and with it onnxruntime (1 s, 90 MiB), unless these are out of reach.
# This is no documented switch: a test holds that text and images still work.
for _unused in ("pymupdf.layout", "pymupdf4llm"):
    sys.modules.setdefault(_unused, None)  # type: ignore[arg-type]

pymupdf: Any = import_module("pymupdf")  # only after the lines above

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)

LONGEST_SIDE = 1280  # pixels of a page image (contract 11)
JPEG_QUALITY = 80
PAGE_ERRORS = (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase)
"""What PyMuPDF raises for a damaged document or page; some of these only mean that memory ran out."""


def open_pdf(path: str) -> Any:
    """The opened document, a context manager. Raises ProcessingError: INVALID_PDF, PDF_ENCRYPTED."""
    try:
        document = pymupdf.open(path, filetype="pdf")
    except pymupdf.EmptyFileError as error:
        raise ProcessingError(ErrorCode.INVALID_PDF, "The file is empty.") from error
    except PAGE_ERRORS as error:
        _raise_if_memory(error)
        raise ProcessingError(ErrorCode.INVALID_PDF, "The file is not a PDF, or is damaged beyond opening.") from error
    try:
        _check(document)
    except BaseException:
        document.close()
        raise
    return document


def _check(document: Any) -> None:
    if not document.is_pdf:
        raise ProcessingError(ErrorCode.INVALID_PDF, "The file is not a PDF but another kind of document.")
    if document.needs_pass:
        raise ProcessingError(ErrorCode.PDF_ENCRYPTED, "The PDF is protected by a password: send it without one.")


def page_count(document: Any) -> int:
    """How many pages the document says it has. Raises ProcessingError INVALID_PDF when it has none."""
    try:
        count = int(document.page_count)
    except PAGE_ERRORS as error:
        _raise_if_memory(error)
        raise ProcessingError(ErrorCode.INVALID_PDF, "The PDF's list of pages is damaged.") from error
    if count < 1:
        raise ProcessingError(ErrorCode.INVALID_PDF, "The PDF has no pages that can be found.")
    return count


def page_text(document: Any, number: int) -> str | None:
    """The text of page `number` (from 1), None when the page is broken. Raises MemoryError."""
    try:
        text: str = document.load_page(number - 1).get_text("text")
    except PAGE_ERRORS as error:
        _raise_if_memory(error)
        return None
    # half of a surrogate pair is no character and NUL fits in no store: broken fonts map to both
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def page_jpeg(document: Any, number: int) -> bytes | None:
    """Page `number` (from 1) as a JPEG, None when it cannot be drawn. Raises MemoryError.

    Its longest side has LONGEST_SIDE pixels, so they are bounded before anything is drawn, whatever size the
    page says it has.
    """
    try:
        page = document.load_page(number - 1)
        longest = max(page.rect.width, page.rect.height)
        if not (math.isfinite(longest) and longest > 0):
            return None
        zoom = LONGEST_SIDE / longest
        pixmap = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB, alpha=False)
        return bytes(pixmap.tobytes("jpg", jpg_quality=JPEG_QUALITY))
    except PAGE_ERRORS as error:
        _raise_if_memory(error)
        return None


def _raise_if_memory(error: BaseException) -> None:
    """Raises MemoryError for an error that means a refused allocation, which is no fault of the page."""
    words = str(error).lower()
    if any(word in words for word in ("malloc", "calloc", "realloc", "out of memory", "bad_alloc")):
        raise MemoryError(str(error)) from error
