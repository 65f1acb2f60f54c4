"""Pictures of a `pdf` job: page images, previews and their archives, the same bytes for the same document."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.files import zip_writer
from tests.support.runs.pdf import content, kept, pymupdf, run, typed, workspace

TEXTS = ["First page", "Second page: Grüße", "Third page"]


def members(archive: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert file.testzip() is None
        return file.namelist()


def longest(image: bytes) -> int:
    pixmap = pymupdf.Pixmap(image)
    return max(pixmap.width, pixmap.height)


def test_preview_draws_every_page_small_and_reads_no_text(tmp_path: Path) -> None:
    place = workspace(tmp_path)
    result, reports = run(place, typed(tmp_path / "in" / "a.pdf", TEXTS), "preview")
    previews = [f"previews/preview_{number:03d}.jpg" for number in (1, 2, 3)]
    metadata = result.structured_data["metadata"]
    assert kept(place) == sorted(["previews.zip", *previews])
    assert {longest(content(place, name)) for name in previews} == {360}
    assert members(content(place, "previews.zip")) == [Path(name).name for name in previews]
    assert metadata["preview_paths"] == list(result.assets) == [f"{place.target_dir}/{name}" for name in previews]
    assert metadata["preview_zip"] == f"{place.target_dir}/previews.zip"
    assert result.files == {"previews_archive": "previews.zip"}
    assert (result.structured_data["extracted_text"], metadata["text_contents"]) == ("", [])
    assert reports.steps == ["initializing", "reading_file", "processing_images", "finalizing"]
    assert reports.percents == sorted(reports.percents)


def test_preview_and_native_also_keeps_a_text_file_for_each_page(tmp_path: Path) -> None:
    place = workspace(tmp_path)
    result, _ = run(place, typed(tmp_path / "in" / "a.pdf", TEXTS), "preview_and_native", page_start=2)
    assert result.structured_data["metadata"]["text_paths"] == [
        f"{place.target_dir}/texts/page_{number:03d}.txt" for number in (2, 3)
    ]
    assert content(place, "texts/page_002.txt").decode().strip() == "Second page: Grüße"
    assert members(content(place, "previews.zip")) == ["preview_002.jpg", "preview_003.jpg"]


def test_page_images_come_before_previews_and_percents_rise(tmp_path: Path) -> None:
    place = workspace(tmp_path)
    path = typed(tmp_path / "in" / "a.pdf", TEXTS)
    result, reports = run(place, path, "preview_and_native", include_images=True)
    assert [Path(asset).name for asset in result.assets] == [
        *("page_001.jpg", "page_002.jpg", "page_003.jpg"),
        *("preview_001.jpg", "preview_002.jpg", "preview_003.jpg"),
    ]
    assert reports.percents == sorted(reports.percents)
    assert {60 <= percent < 80 for step, percent, *_ in reports if step == "processing_images"} == {True}


def test_the_same_document_makes_the_same_archive(tmp_path: Path) -> None:
    path = typed(tmp_path / "in" / "a.pdf", TEXTS)
    made = []
    for name in ("run-1", "run-2"):
        place = replace(workspace(tmp_path), run=name)
        run(place, path, "preview")
        made.append(content(place, "previews.zip"))
    assert made[0] == made[1]


def test_an_archive_names_no_time_and_no_owner(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zip_writer.writing(path) as archive:
        archive.add("ä/b.jpg", b"x" * 100)
        archive.add("c.md", b"x" * 100, packed=True)
    with zipfile.ZipFile(path) as file:
        assert [(info.filename, info.date_time) for info in file.infolist()] == [
            ("ä/b.jpg", (1980, 1, 1, 0, 0, 0)),
            ("c.md", (1980, 1, 1, 0, 0, 0)),
        ]
        assert file.getinfo("ä/b.jpg").compress_size == 100
        assert file.getinfo("c.md").compress_size < 100


def break_page(path: Path, number: int) -> None:
    """Replaces a page (from 0) by a branch of the page tree that holds itself."""
    with pymupdf.open(path) as document:
        page = document.page_xref(number)
        document.update_object(page, f"<</Type/Pages/Count 1/Kids[{page} 0 R]>>")
        broken = document.tobytes()
    path.write_bytes(broken)


def test_a_page_that_cannot_be_drawn_is_left_out_and_named(tmp_path: Path) -> None:
    place = workspace(tmp_path)
    path = typed(tmp_path / "in" / "a.pdf", TEXTS)
    break_page(path, 1)
    result, _ = run(place, path, "preview")
    assert members(content(place, "previews.zip")) == ["preview_001.jpg", "preview_003.jpg"]
    assert "No preview could be drawn of page 2." in result.notes


@pytest.mark.parametrize("method", ["preview", "ocr"])
def test_a_document_of_which_nothing_can_be_drawn_is_invalid(tmp_path: Path, method: str) -> None:
    path = typed(tmp_path / "in" / "a.pdf", ["only"])
    break_page(path, 0)
    with pytest.raises(ProcessingError) as caught:
        run(workspace(tmp_path), path, method)
    assert caught.value.code is ErrorCode.INVALID_PDF
