"""Text of paged files: PDFs by their text layer, pages without one and images by OCR."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from pydantic import TypeAdapter

from schemas.errors import ErrorCode
from schemas.pages import FinishedPage, MethodText
from services.worker.errors import ProcessingError
from services.worker.files.sources import Source
from services.worker.ocr.contract import SCAN, Engine, EngineName
from services.worker.ocr.engines import engine_named
from services.worker.pages import mupdf
from services.worker.pages.drawing import Pixels
from services.worker.processors.extraction.images import images_of
from services.worker.processors.extraction.parts import ExtractedText, OnPart, TextLimit, TextPart, checked_count
from services.worker.processors.pdf import texts as pdf_texts
from services.worker.processors.pdf.pictures import Pictures
from services.worker.processors.pdf.plan import named
from services.worker.processors.pdf.result import POOR_SCORE, skipped_warning
from services.worker.processors.pdf.selected_pages import SelectedPages
from services.worker.run.memory import give_back
from services.worker.run.page_care import at_page, raise_if_memory_alone, skipped_pages
from services.worker.run.workspace import FinishPage, ResumePage

DrawPages = Callable[[SelectedPages], Pictures]
BLANK: Final = TextPart("")
PART: Final = TypeAdapter(TextPart)


class PageReader:
    """Reads pages with an OCR engine, which is loaded when a page first needs it."""

    def __init__(self, engine: EngineName, languages: str, resume: ResumePage, finish: FinishPage) -> None:
        self.name = engine
        self.resume = resume
        self._finish = finish
        self._languages = languages
        self._engine: Engine | None = None

    def read(self, image: Pixels) -> TextPart:
        """Return the text of an image. Raises ProcessingError OCR_PROVIDER_UNAVAILABLE, MemoryError."""
        if image.rgb.count(image.rgb[:1]) == len(image.rgb):
            return BLANK  # one colour: a blank page
        self._engine = self._engine or engine_named(self.name, self._languages)
        found = self._engine(image)
        return TextPart(found.text, self.name, found.score)

    def finish(self, number: int, part: TextPart, failed: bool) -> None:
        """Make a page readable (Workspace.finish)."""
        self._finish(FinishedPage.of(number, [text_of(part)], failed))

    def close(self) -> None:
        """Release the engine's memory."""
        if self._engine is not None:
            give_back()


def no_pictures(selected: SelectedPages) -> Pictures:
    """Draw no page."""
    return Pictures()


def read_pdf(
    source: Source, max_pages: int, reader: PageReader, on_part: OnPart, draw: DrawPages = no_pictures
) -> ExtractedText:
    """Return each page's text layer, or the OCR text of a page without one; then `draw` the pages.

    Raises ProcessingError: INVALID_PDF, PDF_ENCRYPTED, TOO_MANY_PAGES, OCR_PROVIDER_UNAVAILABLE.
    """
    limit = TextLimit()
    parts: list[TextPart] = []
    broken: list[int] = []
    with mupdf.open_pdf(source.path) as document:
        count = checked_count(mupdf.page_count(document), max_pages, "page")
        for number in range(1, count + 1):
            on_part(number, count)
            part = _pdf_page(document, number, reader)
            if part is None:
                broken.append(number)
            parts.append(TextPart(limit.add(part.content.strip()), part.method, part.score) if part else BLANK)
            reader.finish(number, parts[-1], part is None or number in skipped_pages())
        pictures = draw(SelectedPages(source, document, range(1, count + 1)))
        title = " ".join((document.metadata or {}).get("title", "").split())
        skipped = skipped_pages()
        notes = list(_pdf_notes(document, parts, broken, skipped))
    if len(broken) == count:
        pdf_texts.require_some([pdf_texts.Texts("native", broken=broken)])
    return ExtractedText(
        tuple(parts),
        _method(parts),
        unit="page",
        title=title,
        notes=(*notes, *_poor(parts, "page"), *_undrawn(pictures)),
        failed=tuple(sorted({*broken, *skipped, *pictures.broken})),
        skipped=tuple(skipped),
        images=tuple(pictures.kept.values()),
    )


def read_image(source: Source, max_pages: int, reader: PageReader, on_part: OnPart) -> ExtractedText:
    """Return the OCR text of an image, or of each page of a TIFF. Raises as `images_of`, OCR_PROVIDER_UNAVAILABLE."""
    limit = TextLimit()
    parts = []
    for number, count, pixels in images_of(source, max_pages):
        on_part(number, count)
        work = partial(at_page, "ocr", number, reader.read, pixels)
        part = reader.resume("ocr", number, work, PART) or BLANK
        parts.append(TextPart(limit.add(part.content), part.method, part.score))
        reader.finish(number, parts[-1], number in skipped_pages())
    skipped = tuple(skipped_pages())
    if parts and len(skipped) == len(parts):
        raise_if_memory_alone()
        raise ProcessingError(
            ErrorCode.INVALID_DOCUMENT,
            "OCR crashed, took too long or needed too much memory on every image of the file.",
        )
    notes = [skipped_warning(skipped)] if skipped else []
    if not any(part.content for part in parts):
        notes.append("OCR found no text in the image.")
    notes.extend(_poor(parts, "image"))
    return ExtractedText(tuple(parts), reader.name, unit="image", notes=tuple(notes), failed=skipped, skipped=skipped)


def _pdf_page(document: Any, number: int, reader: PageReader) -> TextPart | None:
    """Return the text of a page; None for a page that can neither be read nor rendered."""
    text = mupdf.page_text(document, number)
    if text is not None and text.strip():
        return TextPart(text)

    def recognise() -> TextPart | None:
        pixels = mupdf.page_pixels(document, number, SCAN)
        return None if pixels is None else at_page("ocr", number, reader.read, pixels)

    part = reader.resume("ocr", number, recognise, PART)
    if part is None and (text is None or number in skipped_pages()):
        return None
    return part or BLANK


def text_of(part: TextPart) -> MethodText:
    """Return a part as clients read it."""
    score = None if part.score is None else round(part.score, 4)
    return MethodText(text=part.content, method=part.method, score=score)


def _method(parts: list[TextPart]) -> str:
    """Return the method of the document: `native`, `rapidocr`, or `native+rapidocr` if only some pages are scans."""
    return "+".join(dict.fromkeys(sorted(part.method for part in parts if part.content))) or "native"


def _pdf_notes(document: Any, parts: list[TextPart], broken: list[int], skipped: list[int]) -> Iterator[str]:
    if document.is_repaired:
        yield "The file is damaged and was repaired; parts of it may be missing."
    if skipped:
        yield skipped_warning(skipped)
    if unreadable := [page for page in broken if page not in skipped]:
        yield f"The text of {named(unreadable)} cannot be read."
    scans = [number for number, part in enumerate(parts, 1) if part.method != "native" and part.content]
    if scans:
        yield f"OCR was used for {named(scans)}, without a text layer."


def _undrawn(pictures: Pictures) -> Iterator[str]:
    if pictures.broken:
        yield f"No image could be drawn of {named(pictures.broken)}."


def _poor(parts: list[TextPart], unit: str) -> Iterator[str]:
    poor = [number for number, part in enumerate(parts, 1) if part.score is not None and part.score < POOR_SCORE]
    if poor:
        yield f"OCR is uncertain about {unit} {', '.join(str(number) for number in poor[:20])}: the mean score there " \
              f"is below {POOR_SCORE:.2f}."  # fmt: skip
