"""Text of what comes in pages: PDFs by their text layer, pages without one and images by OCR."""

from collections.abc import Iterator
from typing import Any, Final

from services.worker.files.sources import Source
from services.worker.ocr.contract import SCAN, Engine, EngineName
from services.worker.ocr.engines import engine_named
from services.worker.pages import mupdf
from services.worker.pages.drawing import Pixels
from services.worker.processors.extraction.images import images_of
from services.worker.processors.extraction.parts import Extracted, Tell, TextPart, Volume, checked_count
from services.worker.processors.pdf import texts as pdf_texts
from services.worker.processors.pdf.plan import named
from services.worker.processors.pdf.result import POOR_SCORE
from services.worker.run.memory import give_back

BLANK: Final = TextPart("")


class PageReader:
    """Reads pages with an OCR engine, which is made when a page first needs it: most documents need none."""

    def __init__(self, engine: EngineName, languages: str) -> None:
        self.name = engine
        self._languages = languages
        self._engine: Engine | None = None

    def read(self, image: Pixels) -> TextPart:
        """What an image says. Raises ProcessingError OCR_PROVIDER_UNAVAILABLE, MemoryError."""
        if image.rgb.count(image.rgb[:1]) == len(image.rgb):
            return BLANK  # an empty sheet, and a second of work saved
        self._engine = self._engine or engine_named(self.name, self._languages)
        found = self._engine(image)
        return TextPart(found.text, self.name, found.score)

    def close(self) -> None:
        """Gives back what the engine took."""
        if self._engine is not None:
            give_back()


def read_pdf(source: Source, max_pages: int, reader: PageReader, tell: Tell) -> Extracted:
    """Each page's text layer, or what OCR reads on a page that has none.

    Raises ProcessingError: INVALID_PDF, PDF_ENCRYPTED, TOO_MANY_PAGES, OCR_PROVIDER_UNAVAILABLE.
    """
    volume = Volume()
    parts: list[TextPart] = []
    broken: list[int] = []
    with mupdf.open_pdf(source.path) as document:
        count = checked_count(mupdf.page_count(document), max_pages, "page")
        for number in range(1, count + 1):
            tell(number, count)
            part = _pdf_page(document, number, reader)
            if part is None:
                broken.append(number)
            parts.append(TextPart(volume.add(part.content.strip()), part.method, part.score) if part else BLANK)
        title = " ".join((document.metadata or {}).get("title", "").split())
        notes = list(_pdf_notes(document, parts, broken))
    if len(broken) == count:
        pdf_texts.require_some([pdf_texts.Texts("native", broken=broken)])
    return Extracted(tuple(parts), _method(parts), unit="page", title=title, notes=(*notes, *_poor(parts, "page")))


def read_image(source: Source, max_pages: int, reader: PageReader, tell: Tell) -> Extracted:
    """What OCR reads on an image, or on each page of a TIFF. Raises as `images_of`, and OCR_PROVIDER_UNAVAILABLE."""
    volume = Volume()
    parts = []
    for number, count, pixels in images_of(source, max_pages):
        tell(number, count)
        part = reader.read(pixels)
        parts.append(TextPart(volume.add(part.content), part.method, part.score))
    said = () if any(part.content for part in parts) else ("OCR found no text in the image.",)
    return Extracted(tuple(parts), reader.name, unit="image", notes=(*said, *_poor(parts, "image")))


def _pdf_page(document: Any, number: int, reader: PageReader) -> TextPart | None:
    """The text of a page; None for one that can neither be read nor drawn."""
    text = mupdf.page_text(document, number)
    if text is not None and text.strip():
        return TextPart(text)
    pixels = mupdf.page_pixels(document, number, SCAN)
    if pixels is not None:
        return reader.read(pixels)
    return None if text is None else BLANK


def _method(parts: list[TextPart]) -> str:
    """How a document was read: `native`, `rapidocr`, or `native+rapidocr` where only some pages were scans."""
    return "+".join(dict.fromkeys(sorted(part.method for part in parts if part.content))) or "native"


def _pdf_notes(document: Any, parts: list[TextPart], broken: list[int]) -> Iterator[str]:
    if document.is_repaired:
        yield "The file is damaged and was repaired; parts of it may be missing."
    if broken:
        yield f"The text of {named(broken)} cannot be read."
    scans = [number for number, part in enumerate(parts, 1) if part.method != "native" and part.content]
    if scans:
        yield f"OCR read {named(scans)}: there is no text layer."


def _poor(parts: list[TextPart], unit: str) -> Iterator[str]:
    poor = [number for number, part in enumerate(parts, 1) if part.score is not None and part.score < POOR_SCORE]
    if poor:
        yield f"OCR is uncertain about {unit} {', '.join(str(number) for number in poor[:20])}: the mean score there " \
              f"is below {POOR_SCORE:.2f}."  # fmt: skip
