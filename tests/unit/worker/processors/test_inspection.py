"""The pages of a file with and without text, for an estimate."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from schemas.documents import ResolvedDocument
from schemas.errors import ErrorCode
from schemas.job_types.inspection import LOOKED_AT, WITH_TEXT, InspectionParameters
from services.worker.errors import ProcessingError
from services.worker.processors import inspection
from services.worker.run.workspace import Result, Workspace
from tests.support.files import office
from tests.support.files.pdf import pdf
from tests.support.runs.pdf import Reports, pymupdf, workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return workspace(tmp_path)


def inspect(place: Workspace, **asked: Any) -> Result:
    return inspection.process(InspectionParameters(**asked), place, Reports())


def numbers(result: Result) -> tuple[int | None, int | None, int | None]:
    """Pages, those with text, and those that were looked at."""
    return result.pages, result.counts.get(WITH_TEXT), result.counts.get(LOOKED_AT)


def mixed(path: Path, *pages: str) -> Path:
    """A PDF with a page for each text; an empty one is a picture alone."""
    with pymupdf.open() as document:
        for text in pages:
            page = document.new_page()
            page.insert_text((72, 72), text) if text else page.draw_rect((9, 9, 99, 99), fill=(0, 0, 0))
        document.save(path)
    return path


def test_pages_of_a_pdf_with_and_without_text_are_counted(place: Workspace, tmp_path: Path) -> None:
    path = mixed(tmp_path / "in/a.pdf", "one", "", "three", "")
    assert numbers(inspect(place, file=str(path))) == (4, 2, 4)


def test_selected_pages_count_alone(place: Workspace, tmp_path: Path) -> None:
    path = mixed(tmp_path / "in/a.pdf", "one", "", "three", "")
    assert numbers(inspect(place, file=str(path), page_start=2, page_end=9)) == (3, 1, 3)
    with pytest.raises(ProcessingError) as caught:
        inspect(place, file=str(path), page_start=5)
    assert caught.value.code is ErrorCode.PAGE_RANGE_INVALID


def test_of_a_long_document_some_pages_stand_for_all(
    place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "MOST_LOOKED_AT", 4)
    path = mixed(tmp_path / "in/a.pdf", *["text"] * 10, *[""] * 10)
    assert numbers(inspect(place, file=str(path))) == (20, 10, 4)


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 300))
def test_the_pages_that_stand_for_all_are_few_different_and_selected(first: int, count: int, most: int) -> None:
    pages = range(first, first + count)
    found = inspection.spread(pages, most)
    assert len(found) == min(most, count) == len(set(found))
    assert found[0] == first
    assert set(found) <= set(pages)


def test_an_image_is_pages_without_text(place: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "in/a.tiff"
    frames = [Image.new("L", (9, 9)) for _ in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert numbers(inspect(place, file=str(path))) == (3, 0, 0)


def test_the_parts_of_an_office_file_are_not_counted(place: Workspace, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir(exist_ok=True)
    assert numbers(inspect(place, file=str(office.word(tmp_path / "in/a.docx")))) == (None, None, None)


def test_a_document_is_read_from_the_blob_store(place: Workspace, tmp_path: Path) -> None:
    content = mixed(tmp_path / "in/a.pdf", "one", "").read_bytes()
    claim = place.blobs.put_named("documents/doc-1/abc", content, "application/pdf")
    resolved = ResolvedDocument(document_id="doc-1", name="a.pdf", content=claim)
    assert numbers(inspect(replace(place, resolved=resolved), document_id="doc-1")) == (2, 1, 2)


@pytest.mark.parametrize("is_pdf", [True, False])
def test_a_file_that_cannot_be_opened_fails_as_its_job_would(place: Workspace, tmp_path: Path, is_pdf: bool) -> None:
    locked = pdf(tmp_path / "in/locked.pdf", password="x")
    with pytest.raises(ProcessingError) as caught:
        inspect(place, file=str(locked), is_pdf=is_pdf)
    assert caught.value.code is ErrorCode.PDF_ENCRYPTED
    text = tmp_path / "in/a.md"
    text.write_text("# Title\n")
    if is_pdf:
        with pytest.raises(ProcessingError) as caught:
            inspect(place, file=str(text), is_pdf=True)
        assert caught.value.code is ErrorCode.INVALID_PDF
    else:
        assert numbers(inspect(place, file=str(text))) == (None, None, None)
