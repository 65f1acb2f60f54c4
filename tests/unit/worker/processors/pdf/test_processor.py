"""The `pdf` processor on files made here: texts, ranges, images, progress."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ErrorCode
from tests.support.runs.local_pdf import make_pdf, refused, run
from tests.support.runs.pdf import pymupdf
from tests.support.runs.pdf import workspace as make_workspace

STEPS = {
    "initializing": (0, 0),
    "reading_file": (10, 10),
    "extracting_text": (30, 59),
    "processing_images": (60, 79),
    "finalizing": (90, 90),
}
"""docs/contract/secretary.md#steps: the percents that each step may show."""


def test_a_result_has_the_text_page_by_page(workspace, tmp_path):
    path = make_pdf(tmp_path / "in" / "Übersicht #1.pdf")
    result, _ = run(workspace, path)
    text, metadata = result.structured_data["extracted_text"], result.structured_data["metadata"]
    assert [line for line in text.splitlines() if line] == [
        *("--- Seite 1 ---", "Text of page 1: Grüße"),
        *("--- Seite 2 ---", "Text of page 2: Grüße"),
        *("--- Seite 3 ---", "Text of page 3: Grüße"),
    ]
    assert [entry["page"] for entry in metadata["text_contents"]] == [1, 2, 3]
    assert all(entry["text"] == entry["content"] for entry in metadata["text_contents"])
    assert {entry["method"] for entry in metadata["text_contents"]} == {"native"}
    assert metadata["file_name"] == "Übersicht #1.pdf"
    assert metadata["file_size"] == path.stat().st_size == result.bytes_in
    assert (metadata["page_count"], metadata["format"], metadata["extraction_method"]) == (3, "pdf", "native")
    assert metadata["warnings"] == []
    assert metadata["process_dir"] == workspace.target_dir == str(tmp_path / "blobs" / "job-1" / "run-1")
    assert (result.pages, result.assets) == (3, ())
    assert not workspace.scratch.exists()


def test_typeset_ligatures_come_out_as_their_letters(workspace, tmp_path):
    with pymupdf.open() as document:
        page = document.new_page()
        writer = pymupdf.TextWriter(page.rect)
        writer.append((72, 72), "The e\ufb03cient \ufb01le \ufb02ows o\ufb00.", font=pymupdf.Font("cjk"))
        writer.write_text(page)
        document.save(tmp_path / "in" / "typeset.pdf")
    result, _ = run(workspace, tmp_path / "in" / "typeset.pdf")
    assert "The efficient file flows off." in result.structured_data["extracted_text"]


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_file_hash_is_compared_with_the_content(workspace, tmp_path, algorithm):
    path = make_pdf(tmp_path / "in" / "a.pdf")
    digest = hashlib.new(algorithm, path.read_bytes()).hexdigest()
    result, _ = run(workspace, path, file_hash=digest.upper())
    assert result.pages == 3
    error = refused(workspace, path, file_hash=digest[::-1])
    assert (error.code, error.error_type) == (ErrorCode.INVALID_PARAMETERS, "FileHashMismatch")
    assert digest in error.message


@pytest.mark.parametrize(
    ("asked", "pages"),
    [
        ({"page_start": 2}, [2, 3, 4]),
        ({"page_end": 2}, [1, 2]),
        ({"page_start": 2, "page_end": 3}, [2, 3]),
        ({"page_start": 4, "page_end": 99}, [4]),
    ],
)
def test_a_page_range_is_inclusive_and_ends_with_the_document(workspace, tmp_path, asked, pages):
    result, _ = run(workspace, make_pdf(tmp_path / "in" / "a.pdf", pages=4), **asked)
    contents = result.structured_data["metadata"]["text_contents"]
    assert [entry["page"] for entry in contents] == pages
    assert f"--- Seite {pages[0]} ---" in result.structured_data["extracted_text"]
    assert result.pages == len(pages)


def test_a_page_range_outside_the_document_fails(workspace, tmp_path):
    path = make_pdf(tmp_path / "in" / "a.pdf", pages=4)
    assert refused(workspace, path, page_start=5).code is ErrorCode.PAGE_RANGE_INVALID


@pytest.mark.parametrize(("width", "height"), [(595, 842), (842, 595), (10, 10), (14_000, 100)])
def test_page_images_are_jpegs_whose_longest_side_is_1280(workspace, tmp_path, width, height):
    path = make_pdf(tmp_path / "in" / "a.pdf", pages=2, width=width, height=height)
    result, _ = run(workspace, path, include_images=True)
    assert [Path(asset).name for asset in result.assets] == ["page_001.jpg", "page_002.jpg"]
    assert result.structured_data["metadata"]["image_paths"] == list(result.assets)
    for asset in result.assets:
        assert Path(asset).is_relative_to(workspace.target_dir)
        image = pymupdf.Pixmap(asset)
        assert max(image.width, image.height) == 1280


@settings(max_examples=12, deadline=None)
@given(pages=st.integers(1, 12), images=st.booleans())
def test_progress_keeps_to_the_steps_and_never_falls(tmp_path_factory, pages, images):
    tmp_path = tmp_path_factory.mktemp("progress")
    path = make_pdf((make_workspace(tmp_path).limits.roots[0]) / "a.pdf", pages=pages, width=20, height=20)
    _, reports = run(make_workspace(tmp_path), path, include_images=images)
    percents = [percent for _, percent, *_ in reports]
    assert percents == sorted(percents)
    for step, percent, *_ in reports:
        low, high = STEPS[step]
        assert low <= percent <= high
    steps = list(dict.fromkeys(step for step, *_ in reports))
    assert steps == [step for step in STEPS if images or step != "processing_images"]
    texts = [(page, of) for step, _, _, page, of in reports if step == "extracting_text" and page]
    assert texts == [(page, pages) for page in range(1, pages + 1)]
    assert {message for step, _, message, *_ in reports if step == "extracting_text"} == {"Extracting text from PDF..."}
