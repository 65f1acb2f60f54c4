"""Reading pages by OCR, which may take long or crash on a page; and images, of which each page needs it."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from schemas.errors import ErrorCode
from schemas.pages import FinishedPage, MethodText
from services.worker.errors import ProcessingError
from services.worker.files.sources import Source
from services.worker.ocr.contract import SCAN, Engine, EngineName, Recognised
from services.worker.ocr.engines import engine_named
from services.worker.ocr.paragraphs import paragraphs_of
from services.worker.ocr.searchable import TextLayer
from services.worker.pages import mupdf
from services.worker.pages.drawing import Pixels
from services.worker.processors.extraction.images import images_of
from services.worker.processors.extraction.parts import ExtractedText, OnPart, TextLimit, TextPart
from services.worker.processors.pdf.result import POOR_SCORE, skipped_warning
from services.worker.run.memory import give_back
from services.worker.run.page_care import at_page, raise_if_memory_alone, skipped_pages
from services.worker.run.workspace import FinishPage, ResumePage

BLANK: Final = TextPart("")
FOUND: Final = TypeAdapter(Recognised)


class PageReader:
    """Reads pages with an OCR engine, which is loaded when a page first needs it."""

    def __init__(self, engine: EngineName, languages: str, resume: ResumePage, finish: FinishPage) -> None:
        self.name = engine
        self.resume = resume
        self._finish = finish
        self._languages = languages
        self._engine: Engine | None = None

    def read(self, image: Pixels) -> Recognised:
        """Return the text of an image. Raises ProcessingError OCR_PROVIDER_UNAVAILABLE, MemoryError."""
        if image.rgb.count(image.rgb[:1]) == len(image.rgb):
            return Recognised("", None)  # one colour: a blank page
        self._engine = self._engine or engine_named(self.name, self._languages)
        return self._engine(image)

    def part_of(self, found: Recognised | None, zoom: float | None = None) -> TextPart:
        """Return the part that a page is whose text is of OCR alone; `zoom` is a point in pixels of its image."""
        if found is None or not found.text:
            return BLANK
        return TextPart(found.text, self.name, found.score, paragraphs_of(found.lines, found.turned, zoom or 1.0))

    def finish(self, number: int, part: TextPart, failed: bool) -> None:
        """Make a page readable (Workspace.finish)."""
        self._finish(FinishedPage.of(number, [text_of(part)], failed))

    def close(self) -> None:
        """Release the engine's memory."""
        if self._engine is not None:
            give_back()


def read_image(
    source: Source, max_pages: int, reader: PageReader, on_part: OnPart, searchable: Path | None = None
) -> ExtractedText:
    """Return the OCR text of an image, or of each page of a TIFF. Raises as `images_of`, OCR_PROVIDER_UNAVAILABLE.

    At `searchable` a PDF is written with the images as pages, under the text as an invisible layer.
    """
    limit = TextLimit()
    layer = TextLayer(mupdf.pymupdf.open()) if searchable else None
    parts = []
    for number, count, pixels in images_of(source, max_pages):
        on_part(number, count)
        work = partial(at_page, "ocr", number, reader.read, pixels)
        found = reader.resume("ocr", number, work, FOUND)
        if layer is not None:
            layer.add_image(pixels, found.lines if found else (), found.turned if found else 0.0, SCAN.dpi or 200)
        part = reader.part_of(found)
        parts.append(TextPart(limit.add(part.content), part.method, part.score, part.blocks))
        reader.finish(number, parts[-1], number in skipped_pages())
    skipped = tuple(skipped_pages())
    if parts and len(skipped) == len(parts):
        raise_if_memory_alone()
        raise ProcessingError(
            ErrorCode.INVALID_DOCUMENT,
            "OCR crashed, took too long or needed too much memory on every image of the file.",
        )
    if layer is not None and searchable is not None:
        layer.save(searchable)
    notes = [skipped_warning(skipped)] if skipped else []
    if not any(part.content for part in parts):
        notes.append("OCR found no text in the image.")
    notes.extend(poor_notes(parts, "image"))
    return ExtractedText(tuple(parts), reader.name, unit="image", notes=tuple(notes), failed=skipped, skipped=skipped)


def text_of(part: TextPart) -> MethodText:
    """Return a part as clients read it."""
    score = None if part.score is None else round(part.score, 4)
    return MethodText(text=part.content, method=part.method, score=score)


def poor_notes(parts: Sequence[TextPart], unit: str) -> Iterator[str]:
    """Yield a sentence about the pages with a poor score of OCR."""
    poor = [number for number, part in enumerate(parts, 1) if part.score is not None and part.score < POOR_SCORE]
    if poor:
        yield f"OCR is uncertain about {unit} {', '.join(str(number) for number in poor[:20])}: the mean score there " \
              f"is below {POOR_SCORE:.2f}."  # fmt: skip
