"""Pages as a scanner or a camera makes them: pictures of a text that is known, turned and askew."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pymupdf
from PIL import Image, ImageDraw, ImageFont

from services.worker.pages.drawing import Pixels

LETTER = (
    "The tenant pays the rent on the third",
    "working day of each month. Notice must",
    "be given three months before the end.",
    "Deposit 1500 euros, returned by bank",
    "transfer. Der Prüfungsausschuss tagte",
    "in Köln über die Größe der Straße.",
)
"""Lines of a letter, two sentences of which go over the end of a line."""


def page(lines: Sequence[str] = LETTER, size: int = 28, columns: int = 1, least: tuple[int, int] = (0, 0)) -> Any:
    """A white picture with these lines in black, in columns of equal length, with a margin of three lines.

    Its letters are `size` pixels high: 28 is a type of 10 points at 200 DPI. It has at least the size `least`.
    """
    font = ImageFont.truetype(io.BytesIO(pymupdf.Font("helv").buffer), size)
    deep = -(-len(lines) // columns)
    column = max(int(font.getlength(line)) for line in lines) + 3 * size
    width = max(least[0], columns * column + 3 * size)
    image = Image.new("RGB", (width, max(least[1], (3 * deep // 2 + 6) * size)), "white")
    drawing = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        at, row = divmod(number, deep)
        drawing.text((3 * size + at * column, 3 * size + row * 3 * size // 2), line, font=font, fill="black")
    return image


def turned(image: Any, degrees: float) -> Any:
    """The picture turned clockwise, on white."""
    return image.rotate(-degrees, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)


def pixels(image: Any) -> Pixels:
    """The picture for an OCR engine."""
    return Pixels(image.width, image.height, image.tobytes())


def png(image: Any) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def scan(path: Path, *pages: Any, dpi: int = 200) -> Path:
    """A PDF of these pictures, each as large as its page."""
    with pymupdf.open() as document:
        for image in pages:
            sheet = document.new_page(width=image.width * 72 / dpi, height=image.height * 72 / dpi)
            sheet.insert_image(sheet.rect, stream=png(image))
        document.save(path)
    return path
