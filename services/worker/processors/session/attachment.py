"""A session's attachment, a PDF: a preview and the text of every page (docs/contract/secretary.md#session-run, step 3).

Previews are in the run's folder until their final names are known.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.fetch.download import Download
from services.worker.files.sources import Source
from services.worker.pages import mupdf
from services.worker.pages.drawing import PREVIEW
from services.worker.processors.pdf import mistral as pdf_mistral
from services.worker.processors.pdf import texts as pdf_texts
from services.worker.processors.pdf.selected_pages import PassProgress, SelectedPages
from services.worker.processors.session.layout import preview_name
from services.worker.run.workspace import ReportProgress, Workspace

FOLDER = "previews"
SPAN = (70, 89)  # the step's range of percent (docs/contract/secretary.md#steps)
NATIVE_NOTE = "The attachment's text layer was used: no OCR provider is configured (MISTRAL_API_KEY)."


@dataclass(frozen=True, slots=True)
class Attachment:
    """Texts by page, from 1, for every page; previews by page, without those that could not be rendered."""

    texts: Mapping[int, str]
    previews: Mapping[int, Path]
    notes: tuple[str, ...]


def read(fetched: Download, workspace: Workspace, report: ReportProgress) -> Attachment:
    """Read and render a downloaded PDF. Raises ProcessingError: INVALID_PDF and others of PDFs and OCR."""
    with fetched.path.open("rb") as file, mupdf.open_pdf(str(fetched.path)) as document:
        pages = _pages(mupdf.page_count(document), workspace.limits.max_pages)
        selected = SelectedPages(Source(fetched.name, fetched.size, file), document, pages)
        progress = PassProgress(report, "processing_attachments", *SPAN, "Reading the attachment")
        previews = Previews(selected, workspace.folder / FOLDER)
        texts, notes = _texts(selected, progress, workspace, previews)
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
    selected: SelectedPages, progress: PassProgress, workspace: Workspace, previews: "Previews"
) -> tuple[pdf_texts.Texts, tuple[str, ...]]:
    """Read the texts and draw the previews: during the provider's OCR, or after reading the text layer."""
    if workspace.providers.has_ocr:
        answer = pdf_mistral.ask(selected, workspace, progress, previews.draw(), progress)
        texts, notes = pdf_mistral.texts_of(answer, selected)
        return texts, tuple(notes)
    texts = pdf_texts.read_native(selected, progress)
    for _ in previews.draw():
        progress.update(1.0)
    return texts, (NATIVE_NOTE,)


class Previews:
    """The previews of a PDF's pages, as files in a folder."""

    def __init__(self, selected: SelectedPages, folder: Path) -> None:
        self._selected = selected
        self._folder = folder
        self.drawn: dict[int, Path] = {}

    def draw(self) -> Iterator[int]:
        """Draw page by page; yield the number of pages done."""
        self._folder.mkdir()
        for done, number in enumerate(self._selected.pages, 1):
            image = mupdf.page_jpeg(self._selected.document, number, PREVIEW)
            if image is not None:
                path = self._folder / preview_name(number)
                path.write_bytes(image)
                self.drawn[number] = path
            yield done

    def notes(self) -> tuple[str, ...]:
        """Return a note about pages that could not be drawn."""
        lost = len(self._selected.pages) - len(self.drawn)
        return (f"No preview could be drawn of {lost} of the attachment's pages.",) if lost else ()
