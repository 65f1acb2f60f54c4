"""Texts of a PDF's pages: from its text layer, by local OCR, by a vision model. Nothing is kept here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.ocr.contract import SCAN, Engine
from services.worker.pages import mupdf
from services.worker.pages.drawing import VISION
from services.worker.processors.pdf.plan import TextMethod
from services.worker.processors.pdf.selected_pages import Paper, Pass
from services.worker.providers import Providers

NO_TEXT = "NO TEXT"
INSTRUCTION = (
    "Transcribe all text of this page as Markdown: in its own language, in reading order, word for word. "
    "Headings, lists and tables become Markdown. Add nothing, explain nothing, and leave out page numbers only if "
    f"they are the page's sole text. If the page holds no text, answer {NO_TEXT}."
)


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's text and how it was got; OCR says how certain it is, from 0 to 1."""

    page: int
    text: str
    method: TextMethod
    score: float | None = None
    lines: int | None = None


@dataclass(frozen=True, slots=True)
class Texts:
    """What one method made of the pages: the texts of those that could be read, the numbers of the others."""

    method: TextMethod
    read: list[PageText] = field(default_factory=list)
    broken: list[int] = field(default_factory=list)

    def note(self, number: int, text: PageText | None) -> None:
        """Takes a page in, None for a broken one."""
        if text is None:
            self.broken.append(number)
        else:
            self.read.append(text)


def read_native(paper: Paper, going: Pass) -> Texts:
    """The text layer."""

    def read(number: int) -> PageText | None:
        text = mupdf.page_text(paper.document, number)
        return None if text is None else PageText(number, text, "native")

    return _read("native", paper, going, read)


def read_ocr(paper: Paper, going: Pass, engine: Engine) -> Texts:
    """What local OCR sees on the drawn pages. Raises as the engine does."""

    def read(number: int) -> PageText | None:
        image = mupdf.page_pixels(paper.document, number, SCAN)
        if image is None:
            return None
        found = engine(image)
        return PageText(number, found.text, "ocr", found.score, found.lines)

    return _read("ocr", paper, going, read)


def read_llm(paper: Paper, going: Pass, providers: Providers) -> Texts:
    """What a vision model reads on the drawn pages. Raises ProcessingError as `Providers.vision`."""

    def read(number: int) -> PageText | None:
        image = mupdf.page_jpeg(paper.document, number, VISION)
        if image is None:
            return None
        text = providers.vision([image], INSTRUCTION).strip()
        return PageText(number, "" if text == NO_TEXT else text, "llm")

    return _read("llm", paper, going, read)


def _read(method: TextMethod, paper: Paper, going: Pass, read: Callable[[int], PageText | None]) -> Texts:
    texts = Texts(method)
    for number in going.through(paper.pages):
        texts.note(number, read(number))
    return texts


def require_some(all_texts: Sequence[Texts]) -> None:
    """Raises ProcessingError INVALID_PDF when not one page could be read by any method."""
    if all_texts and not any(texts.read for texts in all_texts):
        raise ProcessingError(ErrorCode.INVALID_PDF, "The PDF is damaged: none of its pages can be read.")
