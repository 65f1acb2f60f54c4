"""PyMuPDF behind the few calls that processors make: open, text of a page, image of a page. No job is known here.

Import this module in a child process only: MuPDF is not thread-safe, may crash, and may spin for ever.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.pages.drawing import Look, Pixels
from services.worker.run.memory import give_back, raise_if_memory

# PyMuPDF 2.0 imports its layout analysis, and with it onnxruntime (1 s, 90 MiB), unless these are out of reach.
# This is no documented switch: a test holds that text and images still work.
for _unused in ("pymupdf.layout", "pymupdf4llm"):
    sys.modules.setdefault(_unused, None)  # type: ignore[arg-type]

pymupdf: Any = import_module("pymupdf")  # only after the lines above

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)

TEXT_FLAGS = pymupdf.TEXTFLAGS_TEXT & ~pymupdf.TEXT_PRESERVE_LIGATURES
"""Typeset ligatures come out as their letters: whoever looks for "file" types no U+FB01."""
EMPTY_LINES = re.compile("\n{2,}")
NO_CHARACTER = re.compile(rb"\0|\xc0\x80|\xed[\xa0-\xbf][\x80-\xbf]")
"""NUL, which fits in no store, and half of a surrogate pair, as MuPDF writes them: broken fonts map to both."""
ENGINE = f"pymupdf {pymupdf.__version__}, ligatures as letters, no empty lines"
"""What shapes a page's text beside the document, for the cache (contract 10)."""

PAGE_ERRORS = (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase)
"""What PyMuPDF raises for a damaged document or page; some of these only mean that memory ran out."""


@contextmanager
def open_pdf(path: str) -> Iterator[Any]:
    """The opened document. Raises ProcessingError: INVALID_PDF, PDF_ENCRYPTED."""
    try:
        with _open(path) as document:
            yield document
    finally:
        # MuPDF keeps up to 256 MiB of fonts and pictures, also of documents that are closed.
        pymupdf.TOOLS.store_shrink(100)
        give_back()


def _open(path: str) -> Any:
    try:
        document = pymupdf.open(path, filetype="pdf")
    except pymupdf.EmptyFileError as error:
        raise ProcessingError(ErrorCode.INVALID_PDF, "The file is empty.") from error
    except PAGE_ERRORS as error:
        raise_if_memory(error)
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
        raise_if_memory(error)
        raise ProcessingError(ErrorCode.INVALID_PDF, "The PDF's list of pages is damaged.") from error
    if count < 1:
        raise ProcessingError(ErrorCode.INVALID_PDF, "The PDF has no pages that can be found.")
    return count


def page_text(document: Any, number: int) -> str | None:
    """The text of page `number` (from 1), None when the page is broken. Raises MemoryError."""
    try:
        written = _written(document.load_page(number - 1).get_textpage(flags=TEXT_FLAGS))
    except PAGE_ERRORS as error:
        raise_if_memory(error)
        return None
    return EMPTY_LINES.sub("\n", _decoded(written)).lstrip("\n")


def _written(text: Any) -> bytes:
    """Lines as MuPDF itself writes them, an empty one after each block.

    PyMuPDF's `get_text` writes the same without the empty ones, and takes a fifth of its time for that: it asks of
    each character once more whether it lies on the page.
    """
    buffer = pymupdf.mupdf.FzBuffer(1024)
    output = pymupdf.mupdf.FzOutput(buffer)
    pymupdf.mupdf.fz_print_stext_page_as_text(output, text.this)
    output.fz_close_output()
    return bytes(pymupdf.mupdf.fz_buffer_extract(buffer))


def _decoded(written: bytes) -> str:
    try:
        return written.decode().replace("\0", "\ufffd")
    except UnicodeDecodeError:  # rare, and looking for it in every page would cost more than decoding
        return NO_CHARACTER.sub("\ufffd".encode(), written).decode("utf-8", "replace")


def page_size(document: Any, number: int) -> tuple[float, float] | None:
    """Width and height of page `number` (from 1) in points, None when the page is broken. Raises MemoryError."""
    try:
        rect = document.load_page(number - 1).rect
    except PAGE_ERRORS as error:
        raise_if_memory(error)
        return None
    return rect.width, rect.height


def page_jpeg(document: Any, number: int, look: Look) -> bytes | None:
    """Page `number` (from 1) as a JPEG, None when it cannot be drawn. Raises MemoryError."""
    try:
        pixmap = _drawn(document, number, look)
        return bytes(pixmap.tobytes("jpg", jpg_quality=look.quality)) if pixmap else None
    except PAGE_ERRORS as error:
        raise_if_memory(error)
        return None


def page_pixels(document: Any, number: int, look: Look) -> Pixels | None:
    """Page `number` (from 1) as pixels, None when it cannot be drawn. Raises MemoryError."""
    try:
        pixmap = _drawn(document, number, look)
    except PAGE_ERRORS as error:
        raise_if_memory(error)
        return None
    return Pixels(pixmap.width, pixmap.height, bytes(pixmap.samples)) if pixmap else None


def _drawn(document: Any, number: int, look: Look) -> Any:
    page = document.load_page(number - 1)
    zoom = look.zoom(page.rect.width, page.rect.height)
    if zoom is None:
        return None
    return page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB, alpha=False)
