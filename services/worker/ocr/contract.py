"""The interface of a local OCR engine: pixels in, text, boxes and confidence out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from services.worker.ocr.lines import TextLine
from services.worker.pages.drawing import Pixels, RenderFormat

EngineName = Literal["rapidocr", "tesseract"]

SCAN = RenderFormat(dpi=200, quality=100, max_pixels=4_000_000, shrink=True)
"""Rendering of pages for OCR: A4 and Letter at 200 DPI, larger pages with the same number of pixels."""
READING: Final = 2
"""The version of what is done around the engines: an increment invalidates cached results."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The text of an image, and the mean confidence of its characters from 0 to 1; None without text.

    `lines` have the boxes of lines and words, upright; the text is `turned` by so many degrees clockwise on the image
    (services.worker.ocr.lines).
    """

    text: str
    score: float | None
    lines: tuple[TextLine, ...] = ()
    turned: float = 0.0


Engine = Callable[[Pixels], Recognised]
"""Recognises one image. Raises MemoryError, PageFailedError, and ProcessingError OCR_PROVIDER_UNAVAILABLE."""
