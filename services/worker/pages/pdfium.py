"""PDFium, the second reader: for PDFs that MuPDF cannot open, and pages of which it reads hardly anything.

Loaded when it is first needed. Import this module in a child process only: PDFium is not thread-safe and may crash.
"""

from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from services.worker.pages.text_layer import TextFacts
from services.worker.run.memory import raise_if_memory

LITTLE: Final = 200  # characters: with more text on a page the second reader is not asked
MORE: Final = 20  # characters that it must find beyond those of MuPDF, and beyond twice as many


def rewritten(path: str) -> bytes | None:
    """Return a copy of a PDF as PDFium understands it, without encryption; None if it cannot open the file either."""
    pdfium = import_module("pypdfium2")
    document: Any = None
    try:
        document = pdfium.PdfDocument(Path(path).read_bytes())  # by its bytes: the path may be that of a descriptor
        if len(document) < 1:
            return None
        return _saved(document, pdfium.raw.FPDF_REMOVE_SECURITY)
    except (pdfium.PdfiumError, ValueError, RuntimeError) as error:
        raise_if_memory(error)
        return None
    finally:
        if document is not None:
            document.close()


def _saved(document: Any, flags: int) -> bytes:
    buffer = BytesIO()
    document.save(buffer, flags=flags)
    return bytes(buffer.getvalue())


class SecondReader:
    """Reads pages of one PDF, which is opened when the first page is asked for."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._document: Any = None
        self._fails = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._document is not None:
            self._document.close()

    def better(self, number: int, text: str | None) -> str | None:
        """Return the text of page `number` (from 1) if much more is found than `text`; else None."""
        known = TextFacts.of(text or "").characters
        found = self._text(number)
        return found if TextFacts.of(found).characters >= max(known + MORE, 2 * known) else None

    def _text(self, number: int) -> str:
        if self._fails:
            return ""
        pdfium = import_module("pypdfium2")
        try:
            if self._document is None:
                self._document = pdfium.PdfDocument(Path(self._path).read_bytes())
            page = self._document[number - 1]
            try:
                text = str(page.get_textpage().get_text_bounded())
            finally:
                page.close()
        except (pdfium.PdfiumError, ValueError, RuntimeError, IndexError) as error:
            raise_if_memory(error)
            self._fails = self._document is None
            return ""
        return text.encode("utf-8", "replace").decode().replace("\r\n", "\n").replace("\0", "\ufffd")
