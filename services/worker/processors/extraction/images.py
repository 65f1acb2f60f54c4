"""Images as pixels for OCR: upright, in RGB, on white, shrunk to the size that OCR needs."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

from schemas.errors import ErrorCode
from schemas.formats import OF_KIND, Kind
from services.worker.errors import ProcessingError
from services.worker.files.sources import Source
from services.worker.ocr.contract import SCAN
from services.worker.pages.drawing import Pixels
from services.worker.processors.extraction.parts import checked_count, reading

FORMATS: Final = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "AVIF", "HEIF")
MAX_PIXELS: Final = 120_000_000
"""The limit of one image before it is shrunk: 360 MB in memory. Large phone pictures have 108 million."""


def images_of(source: Source, max_pages: int) -> Iterator[tuple[int, int, Pixels]]:
    """Yield the pages of a TIFF, or the first frame of another file: number from 1, count, pixels.

    Raises ProcessingError: INVALID_DOCUMENT, FILE_TOO_LARGE, TOO_MANY_PAGES.
    """
    with open(source.path, "rb") as file, _opened(file) as image:  # noqa: PTH123 - keeps the descriptor's position
        count = _count(image, max_pages)
        for index in range(count):
            yield index + 1, count, _pixels(image, index)


def count_images(source: Source, max_pages: int) -> int:
    """Return how many pages `images_of` yields, without decoding them. Raises as it does."""
    with open(source.path, "rb") as file, _opened(file) as image:  # noqa: PTH123 - as above
        return _count(image, max_pages)


def _opened(file: BinaryIO) -> Any:
    import pi_heif
    from PIL import Image

    pi_heif.register_heif_opener(thumbnails=False)
    Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS is checked instead
    with _decoding():
        return Image.open(file, formats=FORMATS)


@contextmanager
def _decoding() -> Iterator[None]:
    """Convert Pillow's errors to INVALID_DOCUMENT; ignore its warnings, such as those about metadata."""
    with reading(OF_KIND[Kind.IMAGE].name), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _count(image: Any, max_pages: int) -> int:
    """Return the number of pages: only a TIFF has several; frames of an animation are not pages."""
    if image.format != "TIFF":
        return 1
    with _decoding():
        return checked_count(image.n_frames, max_pages, "page")


def _pixels(image: Any, index: int) -> Pixels:
    from PIL import Image, ImageOps

    with _decoding():
        if index:
            image.seek(index)
        _check_size(image.width, image.height)
        if image.width * image.height > SCAN.max_pixels:
            image.draft("RGB", _shrunk(image.width, image.height))  # decodes a JPEG in a smaller size
        shown = _on_white(ImageOps.exif_transpose(image))
        wanted = _shrunk(shown.width, shown.height)
        if shown.size != wanted:
            shown = shown.resize(wanted, Image.Resampling.LANCZOS)
        return Pixels(shown.width, shown.height, shown.tobytes())


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ProcessingError(
            ErrorCode.FILE_TOO_LARGE,
            f"The image has {width:,} x {height:,} pixels; at most {MAX_PIXELS:,} pixels in total are allowed.",
        )


def _shrunk(width: int, height: int) -> tuple[int, int]:
    """Return the size of an image for OCR."""
    shrink = math.sqrt(SCAN.max_pixels / (width * height))
    return (width, height) if shrink >= 1 else (max(1, round(width * shrink)), max(1, round(height * shrink)))


def _on_white(image: Any) -> Any:
    """Return the image in RGB, with transparency on white."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):  # 16 bits of grey and more, which convert("RGB") would truncate
        low, high = image.getextrema()
        scale = 255 / (high - low) if high > low else 1.0
        return image.convert("F").point(lambda value: value * scale - low * scale).convert("RGB")
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(paper, layer).convert("RGB")
    return image.convert("RGB")
