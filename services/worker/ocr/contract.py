"""The interface of a local OCR engine: pixels in, text and confidence out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from services.worker.pages.drawing import Pixels, RenderFormat

EngineName = Literal["rapidocr", "tesseract"]

SCAN = RenderFormat(dpi=200, quality=100, max_pixels=4_000_000, shrink=True)
"""Rendering of pages for OCR: A4 and Letter at 200 DPI, larger pages with the same number of pixels."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The text of an image, and the mean confidence of its characters from 0 to 1; None without text."""

    text: str
    score: float | None
    lines: int


Engine = Callable[[Pixels], Recognised]
"""Recognises one image. Raises MemoryError, PageFailedError, and ProcessingError OCR_PROVIDER_UNAVAILABLE."""
