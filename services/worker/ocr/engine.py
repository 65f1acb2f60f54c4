"""Local OCR behind one call: a page's pixels in, its text and how certain it is out. Knows no PDF and no job.

`rapidocr` needs nothing installed; Tesseract is used where it is installed and asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from services.worker.files.page_sizes import Look

EngineName = Literal["rapidocr", "tesseract"]

SCAN = Look(dpi=200, quality=100, max_pixels=4_000_000, shrink=True)
"""How a page is drawn for OCR: A4 and Letter at 200 DPI, what is larger with as many pixels."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """An image as rows of RGB bytes, without gaps."""

    width: int
    height: int
    rgb: bytes


@dataclass(frozen=True, slots=True)
class Recognised:
    """The text of an image, and the mean certainty of its characters from 0 to 1; None where nothing was found."""

    text: str
    score: float | None
    lines: int


Engine = Callable[[Pixels], Recognised]
"""Reads one image. Raises MemoryError, and ProcessingError OCR_PROVIDER_UNAVAILABLE."""


def engine(name: EngineName, languages: str) -> Engine:
    """The engine of that name. `languages` are Tesseract's (`deu+eng`); rapidocr's model reads Latin script as it is.

    Raises ProcessingError OCR_PROVIDER_UNAVAILABLE when it is not installed, or not for these languages.
    """
    if name == "tesseract":
        from services.worker.ocr.tesseract import Tesseract

        return Tesseract(languages)
    from services.worker.ocr.rapid import recognise

    return recognise
