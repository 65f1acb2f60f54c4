"""The `pdf` job's result (docs/contract/secretary.md#results). Pure, except for the document's properties."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.blocks import Block, Origin
from schemas.job_types.pdf import PdfParameters
from services.worker.blocks.outputs import WrittenDocument, paragraphs, placed
from services.worker.layout.reading import ReadPage
from services.worker.markup.from_markdown import blocks_from
from services.worker.pages import mupdf
from services.worker.pages.attachments import Attachments
from services.worker.pages.text_layer import Doubt
from services.worker.processors.pdf.pictures import PAGES_ARCHIVE, PREVIEWS_ARCHIVE, Pictures
from services.worker.processors.pdf.plan import TextMethod, named
from services.worker.processors.pdf.selected_pages import SelectedPages
from services.worker.processors.pdf.texts import PageText, Texts
from services.worker.run.workspace import Result

POOR_SCORE: Final = 0.8  # measured with both engines: clean print 0.92 and more, images without text 0.76 and less
UNREADABLE: Final[Mapping[TextMethod, str]] = {
    "native": "The text of {} cannot be read.",
    "ocr": "There is no OCR text of {}, which cannot be drawn.",
    "llm": "There is no text of {}, which cannot be drawn for the vision model.",
}
ORIGINS: Final[Mapping[TextMethod, Origin]] = {
    "native": Origin.NATIVE,
    "ocr": Origin.OCR,
    "llm": Origin.LLM,
    "mistral_ocr": Origin.OCR,
}
AS_MARKDOWN: Final[frozenset[TextMethod]] = frozenset({"llm", "mistral_ocr"})
"""The methods whose texts are Markdown."""

DOUBTFUL: Final[Mapping[Doubt, str]] = {
    Doubt.PICTURE: "Pictures cover most of {}, where the text layer has little text: OCR reads what they show.",
    Doubt.NO_MEANING: "The text layer of {} has codes in place of characters: OCR reads what the pages show.",
}


@dataclass(slots=True)
class PdfParts:
    """The intermediate results of a method's parts. `texts` are in the order of the plan.

    `skipped` are pages that crashed, hung or ran out of memory.
    """

    texts: list[Texts] = field(default_factory=list)
    attached: Attachments = field(default_factory=Attachments)
    images: Pictures = field(default_factory=Pictures)
    previews: Pictures = field(default_factory=Pictures)
    text_paths: list[str] = field(default_factory=list)
    searchable: str | None = None
    ocr_images: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    mistral: dict[str, Any] | None = None
    transformed: dict[str, Any] = field(default_factory=dict)
    document: WrittenDocument | None = None
    document_paths: tuple[str, ...] = ()
    skipped: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def page_texts(pages: range, all_texts: Sequence[Texts]) -> dict[int, str]:
    """Return each page's text by the first method that found one, in the order of the plan."""
    found = dict.fromkeys(pages, "")
    for text in (text for texts in all_texts for text in texts.read):
        if not found[text.page].strip():
            found[text.page] = text.text
    return found


def extracted_text(params: PdfParameters, pages: range, all_texts: Sequence[Texts]) -> str:
    """Join the pages; Mistral's with an empty line between them (docs/contract/secretary.md#mistral, #results)."""
    return _paged(page_texts(pages, all_texts), "\n\n" if "mistral" in params.method else "\n") if all_texts else ""


def best_texts(all_texts: Sequence[Texts]) -> dict[int, PageText]:
    """Return the text of each page by the first method that found one, in the order of the plan."""
    found: dict[int, PageText] = {}
    for text in (text for texts in all_texts for text in texts.read if text.text.strip()):
        found.setdefault(text.page, text)
    return found


def pages_to_structure(all_texts: Sequence[Texts]) -> dict[int, ReadPage]:
    """Return the pages whose text is not Markdown, which has a structure already."""
    best = sorted(best_texts(all_texts).items())
    plain = ((page, text) for page, text in best if text.method not in AS_MARKDOWN)
    return {page: ReadPage(text.text, text.blocks, text.method == "native") for page, text in plain}


def page_blocks(
    pages: range, all_texts: Sequence[Texts], structured: Mapping[int, tuple[Block, ...]]
) -> list[tuple[Block, ...]]:
    """Return the blocks of each page: those in `structured`, else what its text means."""
    texts = best_texts(all_texts)
    return [structured.get(page) or (_blocks(texts[page]) if page in texts else ()) for page in pages]


def _blocks(text: PageText) -> tuple[Block, ...]:
    read = blocks_from(text.text) if text.method in AS_MARKDOWN else paragraphs(text.text)
    return placed(read, text.page, ORIGINS[text.method], text.score)


def result_of(params: PdfParameters, selected: SelectedPages, parts: PdfParts, target_dir: str) -> Result:
    """Build the result; warnings are also notes in the job's log."""
    warnings = [*_warnings(selected, parts), *parts.warnings]
    data: dict[str, Any] = {"extracted_text": extracted_text(params, selected.pages, parts.texts)}
    if len(parts.texts) > 1 and (texts := _of_method("ocr", parts)):
        data["ocr_text"] = _paged({text.page: text.text for text in texts}, "\n")
    data |= parts.transformed
    if parts.document is not None:
        data["document"] = parts.document.value
    data["metadata"] = _metadata(params, selected, parts, target_dir, warnings)
    if parts.mistral is not None:
        data["mistral_ocr_raw_metadata"] = parts.mistral
    if "pages_archive" in parts.files:
        data["pages_archive_filename"] = PAGES_ARCHIVE
    return Result(
        structured_data=data,
        assets=(
            *parts.images.kept.values(),
            *parts.previews.kept.values(),
            *parts.ocr_images,
            *parts.document_paths,
            *_searchable(parts),
        ),
        files=parts.files,
        notes=(*warnings, *parts.notes),
        pages=len(selected.pages),
        cacheable=not parts.skipped,  # another attempt may read them
        bytes_in=selected.source.size,
        method=params.method,
    )


def _paged(texts: Mapping[int, str], between: str) -> str:
    return between.join(f"--- Seite {number} ---\n{text}" for number, text in texts.items())


def _metadata(
    params: PdfParameters, selected: SelectedPages, parts: PdfParts, target_dir: str, warnings: list[str]
) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "file_name": selected.source.name,
        "file_size": selected.source.size,
        "page_count": selected.document.page_count,
        "page_start": selected.pages[0],
        "page_end": selected.pages[-1],
        "format": "pdf",
        "extraction_method": params.extraction_method,
        "process_dir": target_dir,
        "image_paths": list(parts.images.kept.values()),
        "preview_paths": list(parts.previews.kept.values()),
        "text_paths": parts.text_paths,
        "text_contents": list(_contents(selected, parts.texts)),
        "warnings": warnings,
    }
    metadata |= parts.attached.metadata()
    if parts.searchable is not None:
        metadata["searchable_pdf"] = parts.searchable
    if parts.previews.kept:
        metadata["preview_zip"] = f"{target_dir}/{PREVIEWS_ARCHIVE}"
    if failed := _failed_pages(parts):
        metadata["failed_pages"] = failed
    if _of_method("ocr", parts):
        metadata["ocr_engine"] = params.ocr_engine
    return metadata


def _searchable(parts: PdfParts) -> tuple[str, ...]:
    return () if parts.searchable is None else (parts.searchable,)


def _failed_pages(parts: PdfParts) -> list[int]:
    """Return the pages that a part of the result lacks."""
    texts = (page for texts in parts.texts if texts.method in UNREADABLE for page in texts.broken)
    return sorted({*texts, *parts.images.broken, *parts.previews.broken, *parts.skipped})


def _contents(selected: SelectedPages, all_texts: Sequence[Texts]) -> Iterator[dict[str, Any]]:
    """Yield an entry for each page and method."""
    by_method = [(texts.method, {text.page: text for text in texts.read}) for texts in all_texts]
    for number in selected.pages:
        for method, read in by_method:
            yield _content(read.get(number, PageText(number, "", method)))


def _content(text: PageText) -> dict[str, Any]:
    content: dict[str, Any] = {"page": text.page, "content": text.text, "text": text.text, "method": text.method}
    if text.score is not None:
        content["score"] = round(text.score, 4)
    return content


def _of_method(method: TextMethod, parts: PdfParts) -> list[PageText]:
    return [text for texts in parts.texts if texts.method == method for text in texts.read]


def _warnings(selected: SelectedPages, parts: PdfParts) -> Iterator[str]:
    empty = [text.page for text in _of_method("native", parts) if not text.text.strip()]
    yield from repair_notes(selected.document, empty)
    if parts.skipped:
        yield skipped_warning(parts.skipped)
    for texts in parts.texts:
        yield from second_reader_note(texts.by_second)
        broken = [page for page in texts.broken if page not in parts.skipped]
        if broken and texts.method in UNREADABLE:
            yield UNREADABLE[texts.method].format(named(broken))
    if parts.texts and parts.texts[0].method == "native":  # otherwise it only fills gaps
        yield from _doubts(parts.texts[0].doubts)
    poor = [text.page for text in _of_method("ocr", parts) if text.score is not None and text.score < POOR_SCORE]
    if poor:
        yield f"OCR is uncertain about {named(poor)}: the mean score there is below {POOR_SCORE:.2f}."
    yield from parts.attached.warnings()
    if parts.images.broken:
        yield f"No image could be drawn of {named(parts.images.broken)}."
    if parts.previews.broken:
        yield f"No preview could be drawn of {named(parts.previews.broken)}."


def _doubts(doubts: Mapping[int, Doubt]) -> Iterator[str]:
    for doubt, sentence in DOUBTFUL.items():
        if pages := [page for page, one in doubts.items() if one is doubt]:
            yield sentence.format(named(pages))


def skipped_warning(pages: Sequence[int]) -> str:
    """Return the sentence about pages of which a step was skipped."""
    return f"The work on {named(pages)} crashed, took too long or needed too much memory: it was skipped."


def repair_notes(document: Any, empty: Collection[int] = ()) -> Iterator[str]:
    """Yield how a damaged PDF was opened; `empty` are pages without text, which may be a loss."""
    lost = f"no text was found on {named(empty)}, which may be a loss." if empty else "parts of it may be missing."
    if mupdf.is_rewritten(document):
        yield f"The file could be opened only by a second reader, which repaired or decrypted it; {lost}"
    elif document.is_repaired:
        yield f"The file is damaged and was repaired; {lost}"


def second_reader_note(pages: Collection[int]) -> Iterator[str]:
    """Yield which pages have text that the second reader found."""
    if pages:
        yield f"A second reader found more text on {named(pages)}; some of it may be hidden when the page is shown."
