"""Text of paged files: PDFs by their text layer, pages without one and images by OCR."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from pydantic import TypeAdapter

from schemas.errors import ErrorCode
from schemas.pages import FinishedPage, MethodText
from services.worker.errors import ProcessingError
from services.worker.files.sources import Source
from services.worker.ocr.contract import SCAN, Engine, EngineName, Recognised
from services.worker.ocr.engines import engine_named
from services.worker.ocr.merging import merged
from services.worker.pages import annotations, layer, mupdf
from services.worker.pages.attachments import Attachments, joined, with_attachments
from services.worker.pages.drawing import Pixels
from services.worker.pages.text_layer import Doubt
from services.worker.processors.extraction.images import images_of
from services.worker.processors.extraction.parts import ExtractedText, OnPart, TextLimit, TextPart, checked_count
from services.worker.processors.pdf import texts as pdf_texts
from services.worker.processors.pdf.plan import named
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

    def part_of(self, found: Recognised | None) -> TextPart:
        """Return the part that a page is whose text is of OCR alone."""
        return TextPart(found.text, self.name, found.score) if found is not None and found.text else BLANK

    def finish(self, number: int, part: TextPart, failed: bool) -> None:
        """Make a page readable (Workspace.finish)."""
        self._finish(FinishedPage.of(number, [text_of(part)], failed))

    def close(self) -> None:
        """Release the engine's memory."""
        if self._engine is not None:
            give_back()


def read_pdf(source: Source, max_pages: int, reader: PageReader, on_part: OnPart) -> ExtractedText:
    """Return each page's text layer, with the OCR text of a page whose layer is missing or wrong.

    Raises ProcessingError: INVALID_PDF, PDF_ENCRYPTED, TOO_MANY_PAGES, OCR_PROVIDER_UNAVAILABLE.
    """
    limit = TextLimit()
    parts: list[TextPart] = []
    broken: list[int] = []
    doubts: dict[int, Doubt] = {}
    attached: list[Attachments] = []
    with mupdf.open_pdf(source.path) as document:
        count = checked_count(mupdf.page_count(document), max_pages, "page")
        for number in range(1, count + 1):
            on_part(number, count)
            part, doubt = _pdf_page(document, number, reader)
            if doubt is not None:
                doubts[number] = doubt
            if part is None:
                broken.append(number)
            attached.append(annotations.of_page(document, number))
            parts.append(_complete(part or BLANK, attached[-1], limit))
            reader.finish(number, parts[-1], part is None or number in skipped_pages())
        title = " ".join((document.metadata or {}).get("title", "").split())
        skipped = skipped_pages()
        beside = joined([annotations.of_document(document), *attached])
        notes = [*beside.warnings(), *_pdf_notes(document, broken, skipped), *_ocr_notes(parts, doubts)]
    if len(broken) == count:
        pdf_texts.require_some([pdf_texts.Texts("native", broken=broken)])
    return ExtractedText(
        tuple(parts),
        _method(parts),
        unit="page",
        title=title,
        notes=(*notes, *_poor(parts, "page")),
        failed=tuple(sorted({*broken, *skipped})),
        skipped=tuple(skipped),
        metadata=beside.metadata(),
    )


def read_image(source: Source, max_pages: int, reader: PageReader, on_part: OnPart) -> ExtractedText:
    """Return the OCR text of an image, or of each page of a TIFF. Raises as `images_of`, OCR_PROVIDER_UNAVAILABLE."""
    limit = TextLimit()
    parts = []
    for number, count, pixels in images_of(source, max_pages):
        on_part(number, count)
        work = partial(at_page, "ocr", number, reader.read, pixels)
        part = reader.part_of(reader.resume("ocr", number, work, FOUND))
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


def _pdf_page(document: Any, number: int, reader: PageReader) -> tuple[TextPart | None, Doubt | None]:
    """Return the text of a page, None if it can neither be read nor drawn, and why its text layer does not suffice."""
    text = mupdf.page_text(document, number)
    if text is None or not text.strip():
        found = _recognised(document, number, reader)
        is_lost = found is None and (text is None or number in skipped_pages())
        return (None if is_lost else reader.part_of(found)), Doubt.NO_TEXT
    doubt = layer.doubt(document, number, text)
    if doubt is None:
        return TextPart(text), None
    found, size = _recognised(document, number, reader), mupdf.page_size(document, number)
    zoom = SCAN.zoom(*size) if size else None
    if found is None or zoom is None:
        return TextPart(text), doubt
    lines = layer.lines_of(document, number)
    both = merged(found, lines, zoom)
    if both is None:
        return TextPart(text), doubt
    method = reader.name if all(line.odd for line in lines) else f"native+{reader.name}"
    return TextPart(both.text, method, both.score), doubt


def _complete(part: TextPart, attached: Attachments, limit: TextLimit) -> TextPart:
    """Return a page's part with the states, values and comments that its text lacks."""
    return replace(part, content=limit.add(with_attachments(part.content, attached)))


def _recognised(document: Any, number: int, reader: PageReader) -> Recognised | None:
    def recognise() -> Recognised | None:
        pixels = mupdf.page_pixels(document, number, SCAN)
        return None if pixels is None else at_page("ocr", number, reader.read, pixels)

    return reader.resume("ocr", number, recognise, FOUND)


def text_of(part: TextPart) -> MethodText:
    """Return a part as clients read it."""
    score = None if part.score is None else round(part.score, 4)
    return MethodText(text=part.content, method=part.method, score=score)


def _method(parts: list[TextPart]) -> str:
    """Return the method of the document: `native`, `rapidocr`, or `native+rapidocr` if only some pages are scans."""
    methods = (method for part in parts if part.content for method in part.method.split("+"))
    return "+".join(sorted(set(methods))) or "native"


def _pdf_notes(document: Any, broken: list[int], skipped: list[int]) -> Iterator[str]:
    if document.is_repaired:
        yield "The file is damaged and was repaired; parts of it may be missing."
    if skipped:
        yield skipped_warning(skipped)
    if unreadable := [page for page in broken if page not in skipped]:
        yield f"The text of {named(unreadable)} cannot be read."


def _ocr_notes(parts: list[TextPart], doubts: Mapping[int, Doubt]) -> Iterator[str]:
    """Yield what OCR was used for, and which codes it could not replace."""
    read = {number for number, part in enumerate(parts, 1) if part.method != "native" and part.content}

    def of(doubt: Doubt) -> set[int]:
        return {number for number, one in doubts.items() if one is doubt}

    if scans := of(Doubt.NO_TEXT) & read:
        yield f"OCR was used for {named(scans)}, without a text layer."
    if pictures := of(Doubt.PICTURE) & read:
        yield f"OCR was added to the text layer of {named(pictures)}, mostly covered by pictures."
    if codes := of(Doubt.NO_MEANING) & read:
        yield f"OCR was used for {named(codes)}: the text layer has codes in place of characters."
    if left := of(Doubt.NO_MEANING) - read:
        yield f"The text layer of {named(left)} has codes in place of characters, and OCR found no text."


def _poor(parts: list[TextPart], unit: str) -> Iterator[str]:
    poor = [number for number, part in enumerate(parts, 1) if part.score is not None and part.score < POOR_SCORE]
    if poor:
        yield f"OCR is uncertain about {unit} {', '.join(str(number) for number in poor[:20])}: the mean score there " \
              f"is below {POOR_SCORE:.2f}."  # fmt: skip
