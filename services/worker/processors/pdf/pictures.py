"""Pictures of a PDF's pages (contract 11): page images, previews, and the archive `pages.zip`.

One picture at a time is in memory, and archives grow on disk, so that a document of 1,000 pages takes no more than
one of ten.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas.job_types.pdf import PdfParameters
from services.worker.files import zip_writer
from services.worker.pages import mupdf
from services.worker.pages.drawing import HIGH_RES, PAGE_IMAGE, PREVIEW, Look
from services.worker.processors.pdf.plan import named
from services.worker.processors.pdf.selected_pages import Paper, Pass
from services.worker.run.workspace import Workspace

PAGES_ARCHIVE = "pages.zip"
PREVIEWS_ARCHIVE = "previews.zip"
JPEG = "image/jpeg"
ZIP = "application/zip"


@dataclass(frozen=True, slots=True)
class Pictures:
    """Where each page's picture was kept, in order, and the pages that could not be drawn."""

    kept: dict[int, str] = field(default_factory=dict)
    broken: list[int] = field(default_factory=list)


def keep_page_images(paper: Paper, going: Pass, workspace: Workspace) -> Pictures:
    """Keeps `images/page_NNN.jpg` of each page."""
    pictures = Pictures()
    for number in going.through(paper.pages):
        image = mupdf.page_jpeg(paper.document, number, PAGE_IMAGE)
        if image is None:
            pictures.broken.append(number)
        else:
            pictures.kept[number] = workspace.keep(f"images/page_{number:03d}.jpg", image, JPEG)
    return pictures


def keep_previews(paper: Paper, going: Pass, workspace: Workspace) -> Pictures:
    """Keeps `previews/preview_NNN.jpg` of each page, and all of them as `previews.zip`, if there is any."""
    pictures = Pictures()
    path = workspace.folder / PREVIEWS_ARCHIVE
    with zip_writer.writing(path) as archive:
        for number in going.through(paper.pages):
            image = mupdf.page_jpeg(paper.document, number, PREVIEW)
            if image is None:
                pictures.broken.append(number)
                continue
            name = f"preview_{number:03d}.jpg"
            archive.add(name, image)
            pictures.kept[number] = workspace.keep(f"previews/{name}", image, JPEG)
    if pictures.kept:
        workspace.keep_file(PREVIEWS_ARCHIVE, path, ZIP)
    return pictures


class PagesArchive:
    """`pages.zip`: previews, pages in high resolution, or both. Nothing that goes wrong in drawing fails the job."""

    def __init__(self, paper: Paper, asked: PdfParameters, workspace: Workspace) -> None:
        self._paper = paper
        self._workspace = workspace
        self._looks: list[tuple[str, Look]] = []
        if asked.include_preview_pages:
            self._looks.append(("preview_{:03d}.jpg", PREVIEW))
        if asked.include_high_res_pages:
            self._looks.append(("page_{:03d}.jpeg", HIGH_RES))
        self.broken: set[int] = set()
        self.too_large: set[int] = set()
        self.kept = False

    def draw(self) -> Iterator[int]:
        """Draws and adds, page by page; yields how many pages are done. The archive is kept at the end."""
        if not self._looks:
            return
        path = self._workspace.folder / PAGES_ARCHIVE
        with zip_writer.writing(path) as archive:
            for done, number in enumerate(self._paper.pages, 1):
                for name, look in self._looks:
                    self._add(archive, number, name, look)
                yield done
        if archive.names:
            self._workspace.keep_file(PAGES_ARCHIVE, path, ZIP)
            self.kept = True

    @property
    def files(self) -> dict[str, str]:
        """The archive as results name it; empty when nothing was drawn."""
        return {"pages_archive": PAGES_ARCHIVE} if self.kept else {}

    def warnings(self) -> Iterator[str]:
        """What the archive lacks."""
        if self.broken:
            yield f"{PAGES_ARCHIVE} lacks {named(self.broken)}, which cannot be drawn."
        if self.too_large:
            yield f"{PAGES_ARCHIVE} lacks {named(self.too_large)} in high resolution: too large at {HIGH_RES.dpi} DPI."

    def _add(self, archive: zip_writer.ZipWriter, number: int, name: str, look: Look) -> None:
        try:
            size = mupdf.page_size(self._paper.document, number)
            image = mupdf.page_jpeg(self._paper.document, number, look)
        except MemoryError:  # a page that asks for more than there is has no picture; its text comes from elsewhere
            size, image = None, None
        if image is not None:
            archive.add(name.format(number), image)
        elif size is not None and look.zoom(*size) is None:
            self.too_large.add(number)
        else:
            self.broken.add(number)
