"""Images as the pixels that OCR wants: upright, in RGB, on white, no larger than it needs. Reads no text."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.files.kinds import WORDS, Kind
from services.worker.files.sources import Source
from services.worker.ocr.contract import SCAN
from services.worker.pages.drawing import Pixels
from services.worker.processors.extraction.parts import checked_count, reading

FORMATS: Final = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")
MAX_PIXELS: Final = 120_000_000
"""Of one image before it is shrunk: 360 MB in memory. A large phone's picture has 108 million."""


def images_of(source: Source, max_pages: int) -> Iterator[tuple[int, int, Pixels]]:
    """The pages of a TIFF, the first picture of any other file: number from 1, how many there are, pixels.

    Raises ProcessingError: INVALID_DOCUMENT, FILE_TOO_LARGE, TOO_MANY_PAGES.
    """
    with open(source.path, "rb") as file, _opened(file) as image:  # noqa: PTH123 - its own position stays as it is
        count = _count(image, max_pages)
        for index in range(count):
            yield index + 1, count, _pixels(image, index)


def _opened(file: BinaryIO) -> Any:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # ours is asked first, and does not warn
    with _judging():
        return Image.open(file, formats=FORMATS)


@contextmanager
def _judging() -> Iterator[None]:
    """What Pillow raises is the file's damage; what it warns of, such as broken metadata, is no matter."""
    with reading(WORDS[Kind.IMAGE]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _count(image: Any, max_pages: int) -> int:
    """How many pages there are to read: the pictures of an animation are not pages."""
    if image.format != "TIFF":
        return 1
    with _judging():
        return checked_count(image.n_frames, max_pages, "page")


def _pixels(image: Any, index: int) -> Pixels:
    from PIL import Image, ImageOps

    with _judging():
        if index:
            image.seek(index)
        _check_size(image.width, image.height)
        if image.width * image.height > SCAN.max_pixels:
            image.draft("RGB", _shrunk(image.width, image.height))  # a JPEG is decoded smaller in the first place
        shown = _on_white(ImageOps.exif_transpose(image))
        wanted = _shrunk(shown.width, shown.height)
        if shown.size != wanted:
            shown = shown.resize(wanted, Image.Resampling.LANCZOS)
        return Pixels(shown.width, shown.height, shown.tobytes())


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ProcessingError(
            ErrorCode.FILE_TOO_LARGE,
            f"The image has {width:,} x {height:,} pixels; at most {MAX_PIXELS:,} in all are read.",
        )


def _shrunk(width: int, height: int) -> tuple[int, int]:
    """The size in which OCR reads an image of some size."""
    shrink = math.sqrt(SCAN.max_pixels / (width * height))
    return (width, height) if shrink >= 1 else (max(1, round(width * shrink)), max(1, round(height * shrink)))


def _on_white(image: Any) -> Any:
    """The image in RGB; what shines through becomes paper."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):  # 16 bits and more of grey, which a plain conversion would cut off
        low, high = image.getextrema()
        scale = 255 / (high - low) if high > low else 1.0
        return image.convert("F").point(lambda value: value * scale - low * scale).convert("RGB")
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(paper, layer).convert("RGB")
    return image.convert("RGB")
