"""What OCR and transcription answer, in our own words, and how it is read from a provider's reply. Pure."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

OcrReport = Callable[[int, str], None]
"""Told a percent of the whole OCR call (contract 12: 10 upload … 85 parsed) and what is being done."""


class MalformedAnswerError(ValueError):
    """The provider's reply does not hold what it must."""


@dataclass(frozen=True, slots=True)
class OcrImage:
    """A picture found on a page: its id in the Markdown, its box in pixels (left, top, right, bottom), its bytes."""

    id: str
    box: tuple[int | None, int | None, int | None, int | None]
    content: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class OcrPage:
    """One page; `index` counts from 0 in the whole document, whatever range was asked for."""

    index: int
    markdown: str
    images: tuple[OcrImage, ...]


@dataclass(frozen=True, slots=True)
class OcrAnswer:
    """Pages in order, and what the raw file of contract 12 holds. `raw` is the provider's reply, pictures included."""

    pages: tuple[OcrPage, ...]
    model: str
    usage_info: Mapping[str, Any]
    raw: Mapping[str, Any] = field(repr=False)
    notes: tuple[str, ...] = ()

    def document(self, include_images: bool = False) -> dict[str, Any]:
        """The raw JSON document (contract 12), with the pictures as base64 or without them."""
        if include_images:
            return dict(self.raw)
        pages = [
            {**page, "images": [_without_content(image) for image in page["images"]]} for page in self.raw["pages"]
        ]
        return {**self.raw, "pages": pages}


@dataclass(frozen=True, slots=True)
class SpokenSegment:
    """A stretch of speech: from when to when, in seconds of the recording, and its words."""

    start: float
    end: float
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is said in a recording, by which model. `segments` only where the recogniser tells them."""

    text: str = field(repr=False)
    model: str
    language: str | None = None
    segments: tuple[SpokenSegment, ...] = ()


def read_ocr(raw: Mapping[str, Any], notes: tuple[str, ...] = ()) -> OcrAnswer:
    """An OCR reply by its wire names. Raises MalformedAnswerError, also for a reply without any page."""
    pages = sorted((_page(page) for page in raw["pages"]), key=lambda page: page.index)
    if not pages:
        raise MalformedAnswerError("it holds no page")
    return OcrAnswer(tuple(pages), str(raw["model"]), dict(raw["usage_info"]), raw, notes)


def _page(page: Mapping[str, Any]) -> OcrPage:
    images = tuple(_image(image) for image in page["images"])
    return OcrPage(index=page["index"], markdown=page["markdown"], images=images)


def _image(image: Mapping[str, Any]) -> OcrImage:
    box = (image["top_left_x"], image["top_left_y"], image["bottom_right_x"], image["bottom_right_y"])
    encoded = image.get("image_base64")
    return OcrImage(id=image["id"], box=box, content=_decoded(encoded) if encoded else None)


def _decoded(encoded: str) -> bytes:
    """The bytes of base64 text, with or without a data URL's head before it."""
    try:
        return base64.b64decode(encoded.partition(",")[2] if encoded.startswith("data:") else encoded, validate=True)
    except binascii.Error as error:
        raise MalformedAnswerError("a picture in it is not base64") from error


def _without_content(image: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in image.items() if name != "image_base64"}
