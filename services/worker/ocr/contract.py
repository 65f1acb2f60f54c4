"""What a local OCR engine is: a page's pixels in, its text and how certain it is out. Knows no PDF and no job."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from services.worker.pages.drawing import Look, Pixels

EngineName = Literal["rapidocr", "tesseract"]

SCAN = Look(dpi=200, quality=100, max_pixels=4_000_000, shrink=True)
"""How a page is drawn for OCR: A4 and WebhookMessage at 200 DPI, what is larger with as many pixels."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The text of an image, and the mean certainty of its characters from 0 to 1; None where nothing was found."""

    text: str
    score: float | None
    lines: int


Engine = Callable[[Pixels], Recognised]
"""Reads one image. Raises MemoryError, and ProcessingError OCR_PROVIDER_UNAVAILABLE."""
