"""Texts of a PDF's pages: by the text layer, by local OCR, by a vision model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import TypeAdapter

from schemas.blocks import Block
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.ocr.contract import SCAN, Engine, Recognised
from services.worker.ocr.paragraphs import paragraphs_of
from services.worker.pages import layer, mupdf
from services.worker.pages.drawing import VISION
from services.worker.pages.pdfium import SecondReader
from services.worker.pages.text_layer import Doubt
from services.worker.processors.pdf.plan import TextMethod
from services.worker.processors.pdf.searchable import FOUND, SearchablePdf
from services.worker.processors.pdf.selected_pages import PassProgress, SelectedPages
from services.worker.run.page_care import at_page, raise_if_memory_alone, skipped_pages
from services.worker.run.workspace import Workspace

NO_TEXT = "NO TEXT"
INSTRUCTION = (
    "Transcribe all text of this page as Markdown: in its own language, in reading order, word for word. "
    "Headings, lists and tables become Markdown. Add nothing, explain nothing, and leave out page numbers only if "
    f"they are the page's sole text. If the page holds no text, answer {NO_TEXT}."
)


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's text and its method; `score` is the confidence of OCR, from 0 to 1, `blocks` are its paragraphs."""

    page: int
    text: str
    method: TextMethod
    score: float | None = None
    blocks: tuple[Block, ...] = ()


PAGE_TEXT: Final = TypeAdapter(PageText)

OnRead = Callable[[TextMethod, int, PageText | None], None]
"""Called with the method, the number of a page and its text, None if it is broken."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The result of one method: the texts of readable pages, the numbers of the others.

    `doubts`: the pages whose text layer lacks their text, and why; `by_second`: those that PDFium read.
    """

    method: TextMethod
    read: list[PageText] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)
    doubts: dict[int, Doubt] = field(default_factory=dict)
    by_second: list[int] = field(default_factory=list)

    def add(self, number: int, text: PageText | None) -> None:
        """Add a page, None for a broken one."""
        if text is None:
            self.broken.append(number)
        else:
            self.read.append(text)


def unread(method: TextMethod, number: int, text: PageText | None) -> None:
    """Do nothing: for a document that is a part of another result."""


def read_native(selected: SelectedPages, progress: PassProgress, on_read: OnRead = unread) -> Texts:
    """Read the text layer, and judge whether it has the pages' text."""
    doubts: dict[int, Doubt] = {}
    by_second: list[int] = []
    with SecondReader(selected.source.path) as second:

        def read(number: int) -> PageText | None:
            text, is_of_second = layer.text_of(selected.document, number, second)
            if text is None:
                return None
            if is_of_second:
                by_second.append(number)
            if (doubt := layer.doubt(selected.document, number, text)) is not None:
                doubts[number] = doubt
            return PageText(number, text, "native")

        texts = _read("native", selected, progress, read, on_read)
    return replace(texts, doubts=doubts, by_second=by_second)


def read_ocr(
    selected: SelectedPages,
    progress: PassProgress,
    workspace: Workspace,
    engine: Engine,
    on_read: OnRead,
    searchable: SearchablePdf | None = None,
) -> Texts:
    """Recognise the rendered pages by local OCR, also for a searchable PDF. Raises as the engine does."""

    def recognise(number: int) -> Recognised | None:
        image = mupdf.page_pixels(selected.document, number, SCAN)
        return None if image is None else at_page("ocr", number, engine, image)

    def read(number: int) -> PageText | None:
        found = workspace.resume("ocr", number, lambda: recognise(number), FOUND)
        if found is not None and searchable is not None:
            searchable.add(number, found)
        if found is None:
            return None
        size = mupdf.page_size(selected.document, number)
        blocks = paragraphs_of(found.lines, found.turned, (SCAN.zoom(*size) if size else None) or 1.0)
        return PageText(number, found.text, "ocr", found.score, blocks)

    return _read("ocr", selected, progress, read, on_read)


def read_llm(selected: SelectedPages, progress: PassProgress, workspace: Workspace, on_read: OnRead) -> Texts:
    """Transcribe the rendered pages by a vision model. Raises ProcessingError as `Providers.vision`."""

    def read(number: int) -> PageText | None:
        image = mupdf.page_jpeg(selected.document, number, VISION)
        if image is None:
            return None
        text = workspace.providers.vision([image], INSTRUCTION).strip()
        return PageText(number, "" if text == NO_TEXT else text, "llm")

    def resumed(number: int) -> PageText | None:
        return workspace.resume("llm", number, lambda: read(number), PAGE_TEXT)

    return _read("llm", selected, progress, resumed, on_read)


def _read(
    method: TextMethod,
    selected: SelectedPages,
    progress: PassProgress,
    read: Callable[[int], PageText | None],
    on_read: OnRead,
) -> Texts:
    texts = Texts(method)
    for number in progress.track(selected.pages):
        text = read(number)
        texts.add(number, text)
        on_read(method, number, text)
    return texts


def require_some(all_texts: Sequence[Texts]) -> None:
    """Raise ProcessingError INVALID_PDF when no method could read any page; MemoryError if only memory ran out."""
    if all_texts and not any(texts.read for texts in all_texts):
        raise_if_memory_alone()
        raise ProcessingError(
            ErrorCode.INVALID_PDF,
            "None of the PDF's pages can be read: the work on them crashed, took too long or needed too much memory."
            if skipped_pages()
            else "The PDF is damaged: none of its pages can be read.",
        )
