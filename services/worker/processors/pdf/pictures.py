"""Images of a PDF's pages (docs/contract/secretary.md#archives): page images, previews, and the archive `pages.zip`.

One image at a time is in memory and archives are written to disk, so memory does not depend on the number of pages.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pydantic import TypeAdapter

from piperoll.store.blobs import BlobMissingError
from schemas.job_types.archives import base_name
from schemas.job_types.pdf import PREVIEW_OUTPUT, PdfParameters
from schemas.pages import IMAGE_OUTPUT, WORDS, WORDS_OUTPUT, FinishedPage
from services.worker.files import archive_writer
from services.worker.pages import mupdf
from services.worker.pages.drawing import HIGH_RES, PAGE_IMAGE, PREVIEW, RenderFormat
from services.worker.processors.pdf.plan import named
from services.worker.processors.pdf.selected_pages import PassProgress, SelectedPages
from services.worker.run.workspace import Workspace

PAGES_ARCHIVE = "pages.zip"
PREVIEWS_ARCHIVE = "previews.zip"
JPEG = "image/jpeg"
ZIP = "application/zip"
URI: Final = TypeAdapter(str)


@dataclass(frozen=True, slots=True)
class Pictures:
    """The location of each page's image, in order, and the pages that could not be drawn."""

    kept: dict[int, str] = field(default_factory=dict)
    broken: list[int] = field(default_factory=list)


def keep_page_images(selected: SelectedPages, progress: PassProgress, workspace: Workspace) -> Pictures:
    """Keep `images/page_NNN.jpg` of each page, and `words/page_NNN.json` of each that has a text layer."""
    pictures = Pictures()
    for number in progress.track(selected.pages):
        name = IMAGE_OUTPUT.of(number)
        image = _kept_image(selected, number, PAGE_IMAGE, name, workspace)
        if image is None:
            pictures.broken.append(number)
        else:
            pictures.kept[number] = f"{workspace.target_dir}/{name}"
            if words := mupdf.page_words(selected.document, number):
                workspace.keep(WORDS_OUTPUT.format(number), WORDS.dump_json(words), "application/json")
    return pictures


def keep_previews(selected: SelectedPages, progress: PassProgress, workspace: Workspace) -> Pictures:
    """Keep `previews/preview_NNN.jpg` of each page, and all previews as `previews.zip` if there are any."""
    pictures = Pictures()
    path = workspace.folder / PREVIEWS_ARCHIVE
    with archive_writer.writing(path) as archive:
        for number in progress.track(selected.pages):
            name = PREVIEW_OUTPUT.of(number)
            image = _kept_image(selected, number, PREVIEW, name, workspace)
            if image is None:
                pictures.broken.append(number)
            else:
                archive.add(base_name(name), image)
                pictures.kept[number] = f"{workspace.target_dir}/{name}"
            workspace.finish(FinishedPage(page=number, failed=image is None))  # unless a method has read it
    if pictures.kept:
        workspace.keep_file(PREVIEWS_ARCHIVE, path, ZIP)
    return pictures


def _kept_image(
    selected: SelectedPages, number: int, render_format: RenderFormat, name: str, workspace: Workspace
) -> bytes | None:
    """Keep the image of a page as `name` and return it. An image that an earlier attempt kept is not drawn again."""
    drawn: list[bytes] = []

    def draw() -> str | None:
        image = mupdf.page_jpeg(selected.document, number, render_format)
        if image is None:
            return None
        drawn.append(image)
        return workspace.keep_claim(name, image, JPEG).uri

    uri = workspace.resume(name, number, draw, URI)
    if uri is not None and not drawn:
        try:
            earlier = workspace.blobs.get(uri)
        except BlobMissingError:  # deleted with the outputs of its run
            draw()
        else:
            workspace.keep(name, earlier, JPEG)
            return earlier
    return drawn[0] if drawn else None


class PagesArchive:
    """`pages.zip`: previews, pages in high resolution, or both. Pages that cannot be drawn do not fail the job."""

    def __init__(self, selected: SelectedPages, params: PdfParameters, workspace: Workspace) -> None:
        self._selected = selected
        self._workspace = workspace
        self._formats: list[tuple[str, RenderFormat]] = []
        if params.include_preview_pages:
            self._formats.append(("preview_{:03d}.jpg", PREVIEW))
        if params.include_high_res_pages:
            self._formats.append(("page_{:03d}.jpeg", HIGH_RES))
        self.broken: set[int] = set()
        self.too_large: set[int] = set()
        self.kept = False

    def draw(self) -> Iterator[int]:
        """Draw and add page by page; yield the number of pages done. The archive is kept at the end."""
        if not self._formats:
            return
        path = self._workspace.folder / PAGES_ARCHIVE
        with archive_writer.writing(path) as archive:
            for done, number in enumerate(self._selected.pages, 1):
                for name, render_format in self._formats:
                    self._add(archive, number, name, render_format)
                yield done
        if archive.names:
            self._workspace.keep_file(PAGES_ARCHIVE, path, ZIP)
            self.kept = True

    @property
    def files(self) -> dict[str, str]:
        """The archive's entry in the result's files; empty when nothing was drawn."""
        return {"pages_archive": PAGES_ARCHIVE} if self.kept else {}

    def warnings(self) -> Iterator[str]:
        """Yield warnings about missing pages."""
        if self.broken:
            yield f"{PAGES_ARCHIVE} lacks {named(self.broken)}, which cannot be drawn."
        if self.too_large:
            yield f"{PAGES_ARCHIVE} lacks {named(self.too_large)} in high resolution: too large at {HIGH_RES.dpi} DPI."

    def _add(self, archive: archive_writer.ArchiveWriter, number: int, name: str, render_format: RenderFormat) -> None:
        size = mupdf.page_size(self._selected.document, number)
        image = mupdf.page_jpeg(self._selected.document, number, render_format)
        if image is not None:
            archive.add(name.format(number), image)
        elif size is not None and render_format.zoom(*size) is None:
            self.too_large.add(number)
        else:
            self.broken.add(number)
