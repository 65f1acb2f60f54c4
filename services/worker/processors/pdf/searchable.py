"""`searchable.pdf`: the document with an invisible text layer on pages whose own layer is missing or wrong."""

from functools import partial
from typing import Any, Final

from pydantic import TypeAdapter

from services.worker.ocr.contract import SCAN, Engine, Recognised
from services.worker.ocr.merging import merged
from services.worker.ocr.searchable import TextLayer
from services.worker.pages import layer, mupdf
from services.worker.processors.pdf.selected_pages import PassProgress, SelectedPages
from services.worker.run.page_care import at_page
from services.worker.run.workspace import Workspace

SEARCHABLE: Final = "searchable.pdf"
NOT_MADE: Final = f"{SEARCHABLE} was not made: the document is too damaged to be written, or has no pages."
PDF: Final = "application/pdf"
FOUND: Final = TypeAdapter(Recognised)


class SearchablePdf:
    """Collects the text layer of a run. The native text must be read before a page gets it."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._layer = TextLayer(document)

    def needs(self, number: int) -> bool:
        """Whether page `number` (from 1) lacks text that OCR may find."""
        text = mupdf.page_text(self._document, number)
        return text is None or not text.strip() or layer.doubt(self._document, number, text) is not None

    def add(self, number: int, found: Recognised) -> None:
        """Add what OCR found on a page beside the text that the page has."""
        size = mupdf.page_size(self._document, number)
        zoom = SCAN.zoom(*size) if size else None
        if zoom is None or not self.needs(number):
            return
        lines = layer.lines_of(self._document, number)
        added = merged(found, lines, zoom) if lines else found
        if added is not None:
            self._layer.add(number, added.lines, added.turned, zoom)

    def read(self, selected: SelectedPages, engine: Engine, workspace: Workspace, progress: PassProgress) -> None:
        """Recognise the pages that need it, for a method without OCR. Raises as the engine does."""
        for number in progress.track(selected.pages):
            if self.needs(number):
                found = workspace.resume("layer", number, partial(self._recognise, number, engine), FOUND)
                if found is not None:
                    self.add(number, found)

    def _recognise(self, number: int, engine: Engine) -> Recognised | None:
        image = mupdf.page_pixels(self._document, number, SCAN)
        return None if image is None else at_page("ocr", number, engine, image)

    def keep(self, workspace: Workspace) -> str | None:
        """Store the PDF as an output; return its location, None if it is too damaged. Raises BlobStoreError."""
        path = workspace.folder / SEARCHABLE
        return workspace.keep_file(SEARCHABLE, path, PDF) if self._layer.save(path) else None
