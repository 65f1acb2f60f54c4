"""Pages that a `pdf` run finishes one by one are those of its result."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.job_types.pdf import METHODS, PDF, PdfParameters
from schemas.pages import FinishedPage
from services.worker.pages import mupdf
from services.worker.processors.pdf.processor import process
from services.worker.run.workspace import Workspace
from tests.support.runs.pdf import Reports, run, scanned

pytestmark = pytest.mark.usefixtures("mistral")


def finished(place: Workspace, document: Path, method: str, **asked: Any) -> tuple[list[FinishedPage], Any]:
    """The pages that are finished, and the result."""
    pages: list[FinishedPage] = []
    result, _ = run(replace(place, finish=pages.append), document, method, **asked)
    return pages, result.body(place.target_dir)


def without_repeats(pages: list[FinishedPage]) -> list[FinishedPage]:
    """As the publisher drops them."""
    return [page for index, page in enumerate(pages) if all(page.page > one.page for one in pages[:index])]


@pytest.mark.parametrize("method", METHODS)
def test_by_every_method_the_finished_pages_are_those_of_the_result(
    place: Workspace, document: Path, method: str
) -> None:
    pages, result = finished(place, document, method, page_start=2)
    assert without_repeats(pages) == PDF.pages(result)
    assert without_repeats(pages)[0].page == 2
    assert all(page.failed is False for page in pages)
    assert len(pages[0].texts) in (0, 2)


def test_a_page_that_no_method_could_read_is_marked_in_both(
    place: Workspace, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = mupdf.page_text
    monkeypatch.setattr(mupdf, "page_text", lambda pdf, number: None if number == 2 else read(pdf, number))
    pages, result = finished(place, document, "native")
    assert pages == PDF.pages(result)
    assert [page.page for page in pages if page.failed] == [2]
    assert pages[1].shown() == {"page": 2, "text": "", "method": "native", "failed": True}


def test_the_first_pages_are_finished_before_the_last_ones_are_recognised(place: Workspace, tmp_path: Path) -> None:
    seen: list[object] = []

    class Report(Reports):
        def __call__(self, step: str, percent: int, message=None, page=None, pages=None) -> None:  # type: ignore[no-untyped-def]
            seen.append((step, page))

    path = scanned(tmp_path / "in" / "scan.pdf", ["One", "Two", "Three"])
    asked = PdfParameters(filename=str(path), extraction_method="both")
    process(asked, replace(place, finish=lambda page: seen.append(page.page)), Report())
    assert [one for one in seen if isinstance(one, int) or one[0] == "extracting_text"] == [  # type: ignore[index]
        *[("extracting_text", number) for number in (1, 2, 3)],
        *[("extracting_text", 1), 1, ("extracting_text", 2), 2, ("extracting_text", 3), 3],
    ]


def test_finished_pages_are_published_before_a_model_fills_the_template(place: Workspace, document: Path) -> None:
    calls: list[str] = []
    place = replace(
        place,
        finish=lambda page: calls.append("finish"),
        publish=lambda: calls.append("publish"),
        resume=lambda step, page, work, kind: (calls.append(step), work())[1],
    )
    run(place, document, "native", template="Besprechung")
    assert calls[-2:] == ["publish", "template"]
