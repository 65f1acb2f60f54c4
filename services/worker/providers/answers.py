"""The answers of OCR and transcription, and the parsing of a provider's OCR reply. Pure."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

OcrReport = Callable[[int, str], None]
"""Called with the percent of the OCR call (docs/contract/secretary.md#mistral: 10 upload … 85 parsed) and a message."""


class MalformedAnswerError(ValueError):
    """The provider's reply is invalid."""


@dataclass(frozen=True, slots=True)
class OcrImage:
    """An image on a page: its id in the Markdown, its box in pixels (left, top, right, bottom), its content."""

    id: str
    box: tuple[int | None, int | None, int | None, int | None]
    content: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class OcrPage:
    """One page; `index` counts from 0 in the whole document, not in the requested range."""

    index: int
    markdown: str
    images: tuple[OcrImage, ...]


@dataclass(frozen=True, slots=True)
class OcrAnswer:
    """Pages in order, and the raw file of docs/contract/secretary.md#mistral. `raw` is the reply with images."""

    pages: tuple[OcrPage, ...]
    model: str
    usage_info: Mapping[str, Any]
    raw: Mapping[str, Any] = field(repr=False)
    notes: tuple[str, ...] = ()

    def document(self, include_images: bool = False) -> dict[str, Any]:
        """Return the raw JSON (docs/contract/secretary.md#mistral), with or without the images in base64."""
        if include_images:
            return dict(self.raw)
        pages = [
            {**page, "images": [_without_content(image) for image in page["images"]]} for page in self.raw["pages"]
        ]
        return {**self.raw, "pages": pages}


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """A segment of speech: start and end in seconds of the recording, and its text."""

    start: float
    end: float
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Transcription:
    """The text of a recording and the model that recognised it. `segments` only if the recogniser returns them."""

    text: str = field(repr=False)
    model: str
    language: str | None = None
    segments: tuple[SpeechSegment, ...] = ()


def read_ocr(raw: Mapping[str, Any], notes: tuple[str, ...] = ()) -> OcrAnswer:
    """Parse an OCR reply. Raises MalformedAnswerError, also for a reply without pages."""
    pages = sorted((_page(page) for page in raw["pages"]), key=lambda page: page.index)
    if not pages:
        raise MalformedAnswerError("it contains no page")
    return OcrAnswer(tuple(pages), str(raw["model"]), dict(raw["usage_info"]), raw, notes)


def _page(page: Mapping[str, Any]) -> OcrPage:
    images = tuple(_image(image) for image in page["images"])
    return OcrPage(index=page["index"], markdown=page["markdown"], images=images)


def _image(image: Mapping[str, Any]) -> OcrImage:
    box = (image["top_left_x"], image["top_left_y"], image["bottom_right_x"], image["bottom_right_y"])
    encoded = image.get("image_base64")
    return OcrImage(id=image["id"], box=box, content=_decoded(encoded) if encoded else None)


def _decoded(encoded: str) -> bytes:
    """Decode base64, with or without the prefix of a data URL."""
    try:
        return base64.b64decode(encoded.partition(",")[2] if encoded.startswith("data:") else encoded, validate=True)
    except binascii.Error as error:
        raise MalformedAnswerError("an image in it is not base64") from error


def _without_content(image: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in image.items() if name != "image_base64"}
