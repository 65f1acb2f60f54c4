"""Runs of the `pdf` processor in this process: a workspace, its reports, and scanned documents to read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from piperoll.store.blobs import Blobs
from schemas.job_types.pdf import PdfParameters
from services.worker.pages import mupdf
from services.worker.processors.pdf import processor as pdf
from services.worker.providers import Providers
from services.worker.run.workspace import Limits, Result, Workspace

pymupdf = mupdf.pymupdf
SMALL = (320, 160)  # points: reads in a fraction of a second


class Reports(list[tuple[str, int, str | None, int | None, int | None]]):
    """Everything that a run reported."""

    def __call__(
        self, step: str, percent: int, message: str | None = None, page: int | None = None, pages: int | None = None
    ) -> None:
        self.append((step, percent, message, page, pages))

    @property
    def steps(self) -> list[str]:
        return list(dict.fromkeys(step for step, *_ in self))

    @property
    def percents(self) -> list[int]:
        return [percent for _, percent, *_ in self]


def workspace(
    folder: Path, providers: Providers | None = None, blob_url: str | None = None, **limits: Any
) -> Workspace:
    """A workspace whose job may read what lies in `folder`/in."""
    (folder / "in").mkdir(exist_ok=True)
    known = {"roots": (folder / "in",), "max_bytes": 10_000_000, "max_pages": 5000}
    return Workspace(
        job_id="job-1",
        run="run-1",
        owner="owner",
        attempt=1,
        blobs=Blobs(blob_url or f"file://{folder}/blobs"),
        limits=Limits(**(known | limits)),
        scratch=folder / "scratch",
        providers=providers or Providers(),
    )


def run(place: Workspace, path: Path, method: str, **parameters: Any) -> tuple[Result, Reports]:
    """The result of one run, and what it reported."""
    reports = Reports()
    asked = PdfParameters(filename=str(path), extraction_method=method, **parameters)
    return pdf.process(asked, place, reports), reports


def kept(place: Workspace) -> list[str]:
    """The names of all files that the run kept, sorted."""
    folder = Path(place.target_dir)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def content(place: Workspace, name: str) -> bytes:
    """A file that the run kept."""
    return (Path(place.target_dir) / name).read_bytes()


def typed(path: Path, pages: Sequence[str], size: tuple[float, float] = SMALL) -> Path:
    """A PDF with these texts in its text layer, a page each."""
    path.parent.mkdir(exist_ok=True)
    with pymupdf.open() as document:
        for text in pages:
            document.new_page(width=size[0], height=size[1]).insert_text((20, 40), text, fontsize=12)
        document.save(path)
    return path


def scanned(path: Path, pages: Sequence[str | None], size: tuple[float, float] = SMALL, dpi: int = 150) -> Path:
    """A PDF as a scanner makes it: each page is a picture of a text; None is a page with a text layer in between."""
    path.parent.mkdir(exist_ok=True)
    with pymupdf.open() as document, pymupdf.open() as drawn:
        for number, text in enumerate(pages, 1):
            page = document.new_page(width=size[0], height=size[1])
            if text is None:
                page.insert_text((20, 40), f"Typed page {number}", fontsize=12)
                continue
            picture = drawn.new_page(width=size[0], height=size[1])
            picture.insert_text((20, 40), text, fontsize=12)
            page.insert_image(page.rect, stream=picture.get_pixmap(dpi=dpi).tobytes("png"))
        document.save(path)
    return path
