"""Text of PDFs by their text layer, and by OCR where it is missing or wrong."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.worker.files.sources import Source
from services.worker.layout.reading import ReadPage, Structure, structure_of
from services.worker.ocr.contract import SCAN, Recognised
from services.worker.ocr.merging import merged
from services.worker.ocr.paragraphs import paragraphs_of
from services.worker.ocr.searchable import TextLayer
from services.worker.pages import annotations, layer, mupdf
from services.worker.pages.attachments import Attachments, joined, with_attachments
from services.worker.pages.pdfium import SecondReader
from services.worker.pages.text_layer import Doubt
from services.worker.processors.extraction.pages import BLANK, FOUND, PageReader, poor_notes
from services.worker.processors.extraction.parts import ExtractedText, OnPart, TextLimit, TextPart, checked_count
from services.worker.processors.pdf import texts as pdf_texts
from services.worker.processors.pdf.pictures import Pictures
from services.worker.processors.pdf.plan import named
from services.worker.processors.pdf.result import repair_notes, second_reader_note, skipped_warning
from services.worker.processors.pdf.selected_pages import SelectedPages
from services.worker.run.page_care import at_page, skipped_pages

DrawPages = Callable[[SelectedPages], Pictures]


@dataclass(frozen=True, slots=True)
class _Page:
    """A page as it was read. `doubt`: why its text layer does not suffice; `by_second`: PDFium read the layer.

    `part` is None if it can neither be read nor drawn.
    """

    part: TextPart | None
    doubt: Doubt | None = None
    by_second: bool = False
    attached: Attachments = annotations.NONE


@dataclass(frozen=True, slots=True)
class _Reading:
    """An open document, and what reads its pages."""

    document: Any
    reader: PageReader
    second: SecondReader
    limit: TextLimit
    layer: TextLayer | None = None

    def page(self, number: int) -> _Page:
        """Read a page, and what it has beside its content."""
        text, by_second = layer.text_of(self.document, number, self.second)
        read = self._without_text(number, text) if text is None or not text.strip() else self._with_text(number, text)
        attached = annotations.of_page(self.document, number)
        part = read.part or BLANK
        content = self.limit.add(with_attachments(part.content, attached))
        part_or_none = None if read.part is None else replace(part, content=content)
        return replace(read, part=part_or_none, by_second=by_second, attached=attached)

    def _without_text(self, number: int, text: str | None) -> _Page:
        found, zoom = self._recognised(number), self._zoom(number)
        self._add(number, found, zoom)
        is_lost = found is None and (text is None or number in skipped_pages())
        return _Page(None if is_lost else self.reader.part_of(found, zoom), Doubt.NO_TEXT)

    def _with_text(self, number: int, text: str) -> _Page:
        doubt = layer.doubt(self.document, number, text)
        if doubt is None:
            return _Page(TextPart(text))
        found, zoom = self._recognised(number), self._zoom(number)
        lines = layer.lines_of(self.document, number)
        both = merged(found, lines, zoom) if found is not None and zoom is not None else None
        if both is None or zoom is None:
            return _Page(TextPart(text), doubt)
        self._add(number, both, zoom)
        method = self.reader.name if all(line.odd for line in lines) else f"native+{self.reader.name}"
        blocks = paragraphs_of(both.lines, both.turned, zoom)
        return _Page(TextPart(both.text, method, both.score, blocks), doubt)

    def _zoom(self, number: int) -> float | None:
        size = mupdf.page_size(self.document, number)
        return SCAN.zoom(*size) if size else None

    def _add(self, number: int, found: Recognised | None, zoom: float | None) -> None:
        """Add what OCR found to the searchable PDF. The page's text is not read again."""
        if self.layer is not None and found is not None and zoom is not None:
            self.layer.add(number, found.lines, found.turned, zoom)

    def _recognised(self, number: int) -> Recognised | None:
        def recognise() -> Recognised | None:
            pixels = mupdf.page_pixels(self.document, number, SCAN)
            return None if pixels is None else at_page("ocr", number, self.reader.read, pixels)

        return self.reader.resume("ocr", number, recognise, FOUND)


def no_pictures(selected: SelectedPages) -> Pictures:
    """Draw no page."""
    return Pictures()


def read_pdf(
    source: Source,
    max_pages: int,
    reader: PageReader,
    on_part: OnPart,
    searchable: Path | None = None,
    draw: DrawPages = no_pictures,
    on_structure: OnPart | None = None,
) -> ExtractedText:
    """Return each page's text layer, with the OCR text of a page whose layer is missing or wrong; `draw` the pages.

    With `on_structure`, called for each page, the parts have the blocks that the layout models find.
    At `searchable` the PDF is written with the OCR text as an invisible layer.

    Raises ProcessingError: INVALID_PDF, PDF_ENCRYPTED, TOO_MANY_PAGES, OCR_PROVIDER_UNAVAILABLE.
    """
    pages: list[_Page] = []
    with mupdf.open_pdf(source.path) as document, SecondReader(source.path) as second:
        count = checked_count(mupdf.page_count(document), max_pages, "page")
        layer_of_ocr = TextLayer(document) if searchable else None
        reading = _Reading(document, reader, second, TextLimit(), layer_of_ocr)
        for number in range(1, count + 1):
            on_part(number, count)
            pages.append(page := reading.page(number))
            reader.finish(number, page.part or BLANK, page.part is None or number in skipped_pages())
        structure = _structure(source, pages, reader, on_structure) if on_structure else None
        pictures = draw(SelectedPages(source, document, range(1, count + 1)))
        beside = joined([annotations.of_document(document), *(page.attached for page in pages)])
        notes = [*beside.warnings(), *repair_notes(document)]
        if layer_of_ocr is not None and searchable is not None:
            layer_of_ocr.save(searchable)
        title = " ".join((document.metadata or {}).get("title", "").split())
    broken = [number for number, page in enumerate(pages, 1) if page.part is None]
    if len(broken) == count:
        pdf_texts.require_some([pdf_texts.Texts("native", broken=broken)])
    parts, skipped = [page.part or BLANK for page in pages], skipped_pages()
    if structure is not None:
        parts = [replace(part, blocks=structure.blocks.get(number, ())) for number, part in enumerate(parts, 1)]
        notes += structure.notes(named)
    return ExtractedText(
        tuple(parts),
        _method(parts),
        unit="page",
        title=title,
        notes=(*notes, *_page_notes(pages, broken, skipped), *poor_notes(parts, "page"), *_undrawn(pictures)),
        failed=tuple(sorted({*broken, *skipped, *pictures.broken})),
        skipped=tuple(skipped),
        images=tuple(pictures.kept.values()),
        metadata=beside.metadata(),
    )


def _structure(source: Source, pages: Sequence[_Page], reader: PageReader, on_structure: OnPart) -> Structure:
    read = {number: _read_page(page) for number, page in enumerate(pages, 1)}
    return structure_of(source.path, read, reader.resume, lambda number: on_structure(number, len(pages)))


def _read_page(page: _Page) -> ReadPage:
    part = page.part or BLANK
    in_layer = page.doubt is not Doubt.NO_TEXT and not (page.doubt is Doubt.NO_MEANING and part.blocks)
    return ReadPage(part.content, part.blocks, in_layer)


def _method(parts: Sequence[TextPart]) -> str:
    """Return the method of the document: `native`, `rapidocr`, or `native+rapidocr` if only some pages are scans."""
    methods = (method for part in parts if part.content for method in part.method.split("+"))
    return "+".join(sorted(set(methods))) or "native"


def _page_notes(pages: Sequence[_Page], broken: list[int], skipped: list[int]) -> Iterator[str]:
    if skipped:
        yield skipped_warning(skipped)
    if unreadable := [page for page in broken if page not in skipped]:
        yield f"The text of {named(unreadable)} cannot be read."
    yield from second_reader_note([number for number, page in enumerate(pages, 1) if page.by_second])
    yield from _ocr_notes(pages)


def _undrawn(pictures: Pictures) -> Iterator[str]:
    if pictures.broken:
        yield f"No image could be drawn of {named(pictures.broken)}."


def _ocr_notes(pages: Sequence[_Page]) -> Iterator[str]:
    """Yield what OCR was used for, and which codes it could not replace."""
    read = {number for number, page in enumerate(pages, 1) if page.part and page.part.method != "native"}

    def of(doubt: Doubt) -> set[int]:
        return {number for number, page in enumerate(pages, 1) if page.doubt is doubt}

    if scans := of(Doubt.NO_TEXT) & read:
        yield f"OCR was used for {named(scans)}, without a text layer."
    if pictures := of(Doubt.PICTURE) & read:
        yield f"OCR was added to the text layer of {named(pictures)}, mostly covered by pictures."
    if codes := of(Doubt.NO_MEANING) & read:
        yield f"OCR was used for {named(codes)}: the text layer has codes in place of characters."
    if left := of(Doubt.NO_MEANING) - read:
        yield f"The text layer of {named(left)} has codes in place of characters, and OCR found no text."
