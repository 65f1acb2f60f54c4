"""PyMuPDF for processors: open a PDF, text of a page, image of a page.

Import this module in a child process only: MuPDF is not thread-safe, may crash, and may loop endlessly.
"""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from schemas.errors import ErrorCode
from schemas.pages import PageWord
from services.worker.errors import ProcessingError
from services.worker.pages.drawing import Pixels, RenderFormat
from services.worker.pages.pdfium import rewritten
from services.worker.run.memory import give_back, raise_if_memory
from services.worker.run.page_care import at_page

LAYOUT_MODULES = ("pymupdf.layout", "pymupdf4llm")
"""The layout analysis, which `services.worker.layout` lets in when a job asks for the structure of a document."""

# PyMuPDF 2.0 imports its layout analysis, and with it onnxruntime (1 s, 90 MiB), unless these imports fail.
# This switch is not documented: a test checks that text and images still work.
for _unused in LAYOUT_MODULES:
    sys.modules.setdefault(_unused, None)  # type: ignore[arg-type]

pymupdf: Any = import_module("pymupdf")  # only after the lines above

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)

TEXT_FLAGS = pymupdf.TEXTFLAGS_TEXT & ~pymupdf.TEXT_PRESERVE_LIGATURES
"""Ligatures become letters, so that a search for "file" finds U+FB01 too."""
EMPTY_LINES = re.compile("\n{2,}")
NO_CHARACTER = re.compile(rb"\0|\xc0\x80|\xed[\xa0-\xbf][\x80-\xbf]")
"""NUL, which stores do not accept, and lone surrogates, as MuPDF writes them: broken fonts map to both."""
ENGINE = f"pymupdf {pymupdf.__version__}, ligatures as letters, no empty lines, doubts named, no ticks, a second reader"
"""What determines a page's text and warnings besides the document, for the cache (docs/contract/secretary.md#cache)."""

PUSH_BUTTON = 1 << 16  # the flag of a button that keeps no state (ISO 32000-1, table 226)
DEEPEST = 20  # levels of a field's parents
HIDDEN = 2  # the flag of an annotation that is not shown (ISO 32000-1, table 165)

BOX_DIGITS = 4
"""Of a word's box: a tenth of a pixel in the largest picture."""

PAGE_ERRORS = (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase)
"""Errors of PyMuPDF for a damaged document or page; some of them mean that memory ran out."""


@contextmanager
def open_pdf(path: str) -> Iterator[Any]:
    """Open a PDF. Raises ProcessingError: INVALID_PDF, PDF_ENCRYPTED."""
    try:
        with _open(path) as document:
            yield document
    finally:
        # MuPDF caches up to 256 MiB of fonts and images, also of closed documents.
        pymupdf.TOOLS.store_shrink(100)
        give_back()


def _open(path: str) -> Any:
    """Open a PDF; one that MuPDF cannot open as PDFium rewrites it."""
    try:
        return _checked(lambda: pymupdf.open(path, filetype="pdf"))
    except ProcessingError as error:
        copy = rewritten(path)
        if copy is None:
            raise
        try:
            return _checked(lambda: pymupdf.open(stream=copy, filetype="pdf"))
        except ProcessingError:
            raise error from None


def is_rewritten(document: Any) -> bool:
    """Whether an open PDF is a copy that PDFium made, which has no path."""
    return not document.name


def _checked(opening: Callable[[], Any]) -> Any:
    try:
        document = opening()
    except pymupdf.EmptyFileError as error:
        raise ProcessingError(ErrorCode.INVALID_PDF, "The file is empty.") from error
    except PAGE_ERRORS as error:
        raise_if_memory(error)
        raise ProcessingError(
            ErrorCode.INVALID_PDF, "The file is not a PDF, or is too damaged to be opened."
        ) from error
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
        raise _encrypted()
    try:
        page_count(document)
    except ProcessingError:
        if document.xref_get_key(-1, "Encrypt")[0] != "null":  # with a handler that MuPDF does not know
            raise _encrypted() from None
        raise


def _encrypted() -> ProcessingError:
    return ProcessingError(ErrorCode.PDF_ENCRYPTED, "The PDF is protected by a password: send it without one.")


def page_count(document: Any) -> int:
    """Return the number of pages. Raises ProcessingError INVALID_PDF when there are none."""
    try:
        count = int(document.page_count)
    except PAGE_ERRORS as error:
        raise_if_memory(error)
        raise ProcessingError(ErrorCode.INVALID_PDF, "The PDF's list of pages is damaged.") from error
    if count < 1:
        raise ProcessingError(ErrorCode.INVALID_PDF, "The PDF has no pages that can be found.")
    return count


def page_text(document: Any, number: int) -> str | None:
    """Return the text of page `number` (from 1), None when the page is broken or skipped."""
    return at_page("text", number, _page_text, document, number)


def _page_text(document: Any, number: int) -> str | None:
    try:
        page = document.load_page(number - 1)
        with unticked(document, page):
            written = _written(page.get_textpage(flags=TEXT_FLAGS))
    except PAGE_ERRORS as error:
        raise_if_memory(error)
        return None
    return EMPTY_LINES.sub("\n", _decoded(written)).lstrip("\n")


@contextmanager
def unticked(document: Any, page: Any) -> Iterator[None]:
    """Hide the boxes of a page meanwhile: a tick is a digit of a symbol font, which would be read as text."""
    widgets = [xref for xref, kind, _ in page.annot_xrefs() if kind == pymupdf.PDF_ANNOT_WIDGET and xref > 0]
    before = {xref: document.xref_get_key(xref, "F")[1] for xref in widgets if _is_box(document, xref)}
    try:
        for xref, flags in before.items():
            document.xref_set_key(xref, "F", str(HIDDEN | (int(flags) if flags.isdecimal() else 0)))
        yield
    finally:
        for xref, flags in before.items():
            document.xref_set_key(xref, "F", flags)


def _is_box(document: Any, xref: int) -> bool:
    """Whether a field is a check box or a radio button. PyMuPDF's `Widget` raises for an odd appearance."""
    if _inherited(document, xref, "FT") != "/Btn":
        return False
    flags = _inherited(document, xref, "Ff")
    return not (flags.isdecimal() and int(flags) & PUSH_BUTTON)


def _inherited(document: Any, xref: int, key: str) -> str:
    """Return what a field has at `key`, itself or by a parent; "null" without it."""
    for _ in range(DEEPEST):
        kind, value = document.xref_get_key(xref, key)
        if kind != "null":
            return str(value)
        kind, value = document.xref_get_key(xref, "Parent")
        if kind != "xref":
            break
        xref = int(value.split()[0])
    return "null"


def _written(text: Any) -> bytes:
    """Return the text as MuPDF writes it, with an empty line after each block.

    PyMuPDF's `get_text` returns the same without the empty lines, but spends a fifth of its time on checking again
    that each character is on the page.
    """
    buffer = pymupdf.mupdf.FzBuffer(1024)
    output = pymupdf.mupdf.FzOutput(buffer)
    pymupdf.mupdf.fz_print_stext_page_as_text(output, text.this)
    output.fz_close_output()
    return bytes(pymupdf.mupdf.fz_buffer_extract(buffer))


def _decoded(written: bytes) -> str:
    try:
        return written.decode().replace("\0", "\ufffd")
    except UnicodeDecodeError:  # rare; a search in every page would cost more than decoding
        return NO_CHARACTER.sub("\ufffd".encode(), written).decode("utf-8", "replace")


def page_words(document: Any, number: int) -> list[PageWord]:
    """Return the words of the text layer of page `number` (from 1); none when the page is broken or skipped."""
    return at_page("draw", number, _page_words, document, number) or []


def _page_words(document: Any, number: int) -> list[PageWord]:
    try:
        page = document.load_page(number - 1)
        found = page.get_text("words", flags=TEXT_FLAGS)
        shown, turn = page.rect, page.rotation_matrix  # boxes are those of the page before its rotation
    except PAGE_ERRORS as error:
        raise_if_memory(error)
        return []
    if shown.is_empty:
        return []
    lines: dict[tuple[int, int], int] = {}
    words = []
    for left, top, right, bottom, text, block, line, _ in found:
        box = pymupdf.Rect(left, top, right, bottom) * turn
        across, down = (box.x0, box.x1), (box.y0, box.y1)
        (begin, end), (above, below) = _parts(across, shown.width), _parts(down, shown.height)
        words.append(PageWord(_clean(text), begin, above, end, below, lines.setdefault((block, line), len(lines))))
    return words


def _parts(places: tuple[float, float], size: float) -> tuple[float, float]:
    """Return two places in parts of a page's size; what lies outside is at its edge."""
    first, last = (round(min(1.0, max(0.0, place / size)), BOX_DIGITS) for place in places)
    return first, last


def _clean(text: str) -> str:
    """Replace what stores do not accept, as in the text of a page."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def page_size(document: Any, number: int) -> tuple[float, float] | None:
    """Return width and height of page `number` (from 1) in points; None if broken or skipped."""
    return at_page("draw", number, _page_size, document, number)


def _page_size(document: Any, number: int) -> tuple[float, float] | None:
    try:
        rect = document.load_page(number - 1).rect
    except PAGE_ERRORS as error:
        raise_if_memory(error)
        return None
    return rect.width, rect.height


def page_jpeg(document: Any, number: int, render_format: RenderFormat) -> bytes | None:
    """Return page `number` (from 1) as a JPEG, None when it cannot be rendered."""
    return at_page("draw", number, _page_jpeg, document, number, render_format)


def _page_jpeg(document: Any, number: int, render_format: RenderFormat) -> bytes | None:
    try:
        pixmap = _render(document, number, render_format)
        return bytes(pixmap.tobytes("jpg", jpg_quality=render_format.quality)) if pixmap else None
    except PAGE_ERRORS as error:
        raise_if_memory(error)
        return None


def page_pixels(document: Any, number: int, render_format: RenderFormat) -> Pixels | None:
    """Return page `number` (from 1) as pixels, None when it cannot be rendered."""
    return at_page("draw", number, _page_pixels, document, number, render_format)


def _page_pixels(document: Any, number: int, render_format: RenderFormat) -> Pixels | None:
    try:
        pixmap = _render(document, number, render_format)
    except PAGE_ERRORS as error:
        raise_if_memory(error)
        return None
    return Pixels(pixmap.width, pixmap.height, bytes(pixmap.samples)) if pixmap else None


def _render(document: Any, number: int, render_format: RenderFormat) -> Any:
    page = document.load_page(number - 1)
    zoom = render_format.zoom(page.rect.width, page.rect.height)
    if zoom is None:
        return None
    return page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB, alpha=False)
