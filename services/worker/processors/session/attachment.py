"""A session's attachment, a PDF: a preview and the text of every page (contract 13, step 3).

Previews lie in the run's own folder until it is known what their place is called.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.fetch.download import Fetched
from services.worker.files.sources import Source
from services.worker.pages import mupdf
from services.worker.pages.drawing import PREVIEW
from services.worker.processors.pdf import mistral as pdf_mistral
from services.worker.processors.pdf import texts as pdf_texts
from services.worker.processors.pdf.selected_pages import Paper, Pass
from services.worker.processors.session.layout import preview_name
from services.worker.run.workspace import ReportProgress, Workspace

FOLDER = "previews"
SPAN = (70, 89)  # percent: what the step has before the next one (contract 5)
NATIVE_NOTE = "The attachment's own text was used: no OCR provider is configured (MISTRAL_API_KEY)."


@dataclass(frozen=True, slots=True)
class Attachment:
    """Text by page, from 1, for every page; previews by page, without those that cannot be drawn."""

    texts: Mapping[int, str]
    previews: Mapping[int, Path]
    notes: tuple[str, ...]


def read(fetched: Fetched, workspace: Workspace, report: ReportProgress) -> Attachment:
    """Reads and draws a fetched PDF.

    Raises ProcessingError: INVALID_PDF, PDF_ENCRYPTED, TOO_MANY_PAGES, and what the OCR provider fails with.
    """
    with fetched.path.open("rb") as file, mupdf.open_pdf(str(fetched.path)) as document:
        pages = _pages(mupdf.page_count(document), workspace.limits.max_pages)
        paper = Paper(Source(fetched.name, fetched.size, file), document, pages)
        going = Pass(report, "processing_attachments", *SPAN, "Reading the attachment")
        previews = Previews(paper, workspace.folder / FOLDER)
        texts, notes = _texts(paper, going, workspace, previews)
    pdf_texts.require_some([texts])
    found = {entry.page: entry.text for entry in texts.read}
    return Attachment({number: found.get(number, "") for number in pages}, previews.drawn, (*notes, *previews.notes()))


def _pages(count: int, limit: int) -> range:
    if count > limit:
        raise ProcessingError(
            ErrorCode.TOO_MANY_PAGES, f"The document has {count:,} pages; at most {limit:,} are allowed."
        )
    return range(1, count + 1)


def _texts(
    paper: Paper, going: Pass, workspace: Workspace, previews: "Previews"
) -> tuple[pdf_texts.Texts, tuple[str, ...]]:
    """The texts, previews drawn on the way: while the provider reads, or after the text layer was read."""
    if workspace.providers.has_ocr:
        answer = pdf_mistral.ask(paper, workspace, going, previews.draw(), going)
        texts, notes = pdf_mistral.texts_of(answer, paper)
        return texts, tuple(notes)
    texts = pdf_texts.read_native(paper, going)
    for _ in previews.draw():
        going.tell(1.0)
    return texts, (NATIVE_NOTE,)


class Previews:
    """The previews of a paper's pages, as files in a folder."""

    def __init__(self, paper: Paper, folder: Path) -> None:
        self._paper = paper
        self._folder = folder
        self.drawn: dict[int, Path] = {}

    def draw(self) -> Iterator[int]:
        """Draws page by page; yields how many pages are done."""
        self._folder.mkdir()
        for done, number in enumerate(self._paper.pages, 1):
            image = mupdf.page_jpeg(self._paper.document, number, PREVIEW)
            if image is not None:
                path = self._folder / preview_name(number)
                path.write_bytes(image)
                self.drawn[number] = path
            yield done

    def notes(self) -> tuple[str, ...]:
        """What could not be drawn."""
        lost = len(self._paper.pages) - len(self.drawn)
        return (f"No preview could be drawn of {lost} of the attachment's pages.",) if lost else ()
