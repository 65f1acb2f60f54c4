"""The `pdf` processor on files made here: texts, ranges, images, progress, and every way in which a file is bad."""

import hashlib
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piperoll.store.blobs import Blobs
from schemas.errors import ErrorCode
from schemas.job_types.pdf import PdfParameters
from services.worker.errors import ProcessingError
from services.worker.files import mupdf, sources
from services.worker.processors.pdf import processor as pdf
from services.worker.run.workspace import Limits, Workspace

pymupdf = mupdf.pymupdf

STEPS = {
    "initializing": (0, 0),
    "reading_file": (10, 10),
    "extracting_text": (30, 59),
    "processing_images": (60, 79),
    "finalizing": (90, 90),
}
"""docs/contract/secretary.md#steps: the percents that each step may show."""


class Reports(list):
    def __call__(self, step, percent, message=None, page=None, pages=None):
        self.append((step, percent, message, page, pages))


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path)


def make_workspace(tmp_path, blob_url=None, **limits):
    (tmp_path / "in").mkdir(exist_ok=True)
    known = {"roots": (tmp_path / "in",), "max_bytes": 10_000_000, "max_pages": 500}
    return Workspace(
        job_id="job-1",
        run="run-1",
        owner="owner",
        attempt=1,
        blobs=Blobs(blob_url or f"file://{tmp_path}/blobs"),
        limits=Limits(**(known | limits)),
        scratch=tmp_path / "scratch",
    )


def make_pdf(path, pages=3, width=595, height=842, **saving):
    with pymupdf.open() as document:
        for number in range(1, pages + 1):
            document.new_page(width=width, height=height).insert_text((72, 72), f"Text of page {number}: Grüße")
        document.save(path, **saving)
    return path


def run(workspace, filename, **parameters):
    reports = Reports()
    asked = PdfParameters(filename=str(filename), **parameters)
    return pdf.process(asked, workspace, reports), reports


def refused(workspace, filename, **parameters):
    with pytest.raises(ProcessingError) as caught:
        run(workspace, filename, **parameters)
    assert not caught.value.retryable
    assert caught.value.message.endswith(".")
    return caught.value


# --- what a good file gives -----------------------------------------------------------------------------------


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


# --- bad files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no PDF at all",
        b"\0\1\2" * 500,
        b"<html><body>Not a PDF</body></html>",
        b"%PDF-1.7\n%%EOF",
        b"%PDF-1.7\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj 2 0 obj <</Type/Pages/Kids[]/Count 0>> endobj\n"
        b"trailer <</Root 1 0 R>>\n%%EOF",
    ],
    ids=["empty", "text", "binary", "html", "only a header", "zero pages"],
)
def test_an_unreadable_pdf_is_invalid(workspace, tmp_path, content):
    path = tmp_path / "in" / "a.pdf"
    path.write_bytes(content)
    assert refused(workspace, path).code is ErrorCode.INVALID_PDF


def test_a_password_is_named_as_the_reason(workspace, tmp_path):
    path = make_pdf(
        tmp_path / "in" / "a.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret", owner_pw="owner"
    )
    assert refused(workspace, path).code is ErrorCode.PDF_ENCRYPTED


def test_a_file_that_only_its_owner_may_change_is_read(workspace, tmp_path):
    path = make_pdf(tmp_path / "in" / "a.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner")
    result, _ = run(workspace, path)
    assert "Text of page 1" in result.structured_data["extracted_text"]


def test_the_page_limit_counts_the_documents_pages(tmp_path):
    workspace = make_workspace(tmp_path, max_pages=3)
    path = make_pdf(tmp_path / "in" / "a.pdf", pages=4)
    error = refused(workspace, path, page_end=1)
    assert error.code is ErrorCode.TOO_MANY_PAGES
    assert "4" in error.message
    assert "3" in error.message


def test_a_file_over_the_size_limit_is_not_opened(tmp_path):
    path = make_pdf(make_workspace(tmp_path).limits.roots[0] / "a.pdf")
    workspace = make_workspace(tmp_path, max_bytes=path.stat().st_size - 1)
    assert refused(workspace, path).code is ErrorCode.FILE_TOO_LARGE


def break_page(path, number):
    """Replaces a page (from 0) by a branch of the page tree that holds itself."""
    with pymupdf.open(path) as document:
        page = document.page_xref(number)
        document.update_object(page, f"<</Type/Pages/Count 1/Kids[{page} 0 R]>>")
        content = document.tobytes()
    path.write_bytes(content)


def test_a_broken_page_is_empty_and_named_in_a_warning(workspace, tmp_path):
    path = make_pdf(tmp_path / "in" / "a.pdf", pages=3)
    break_page(path, 1)
    result, _ = run(workspace, path, include_images=True)
    metadata = result.structured_data["metadata"]
    assert [entry["text"].strip() for entry in metadata["text_contents"]] == [
        "Text of page 1: Grüße",
        "",
        "Text of page 3: Grüße",
    ]
    assert metadata["warnings"] == ["The text of page 2 cannot be read.", "No image could be drawn of page 2."]
    assert len(result.assets) == 2


def test_a_document_of_broken_pages_is_invalid(workspace, tmp_path):
    path = make_pdf(tmp_path / "in" / "a.pdf", pages=2)
    break_page(path, 0)
    break_page(path, 1)
    assert refused(workspace, path).code is ErrorCode.INVALID_PDF


def test_a_truncated_file_gets_a_note_that_it_was_repaired(workspace, tmp_path):
    whole = make_pdf(tmp_path / "whole.pdf", pages=3).read_bytes()
    path = tmp_path / "in" / "a.pdf"
    path.write_bytes(whole[: int(len(whole) * 0.9)])
    os.utime(path, (0, 0))
    result, _ = run(workspace, path)
    (warning,) = result.structured_data["metadata"]["warnings"]
    assert "damaged and was repaired" in warning


# --- where a file may lie -------------------------------------------------------------------------------------


def test_backslashes_in_a_path_are_slashes(workspace, tmp_path):
    path = make_pdf(tmp_path / "in" / "a.pdf")
    result, _ = run(workspace, str(path).replace("/", "\\"))
    assert result.pages == 3


def test_a_link_inside_the_roots_is_followed(workspace, tmp_path):
    make_pdf(tmp_path / "in" / "a.pdf")
    (tmp_path / "in" / "link.pdf").symlink_to("a.pdf")
    assert run(workspace, tmp_path / "in" / "link.pdf")[0].pages == 3


@pytest.mark.parametrize("how", ["outside", "dots", "relative", "link", "link to nothing", "linked folder"])
def test_a_file_outside_the_roots_is_not_allowed(workspace, tmp_path, how):
    outside = make_pdf(tmp_path / "secret.pdf")
    link, folder = tmp_path / "in" / "link.pdf", tmp_path / "in" / "folder"
    link.symlink_to(outside if how == "link" else tmp_path / "gone.pdf")
    folder.symlink_to(tmp_path)
    named = {
        "outside": outside,
        "dots": f"{tmp_path}/in/../secret.pdf",
        "relative": "in/a.pdf",
        "link": link,
        "link to nothing": link,
        "linked folder": folder / "secret.pdf",
    }[how]
    error = refused(workspace, named)
    assert error.code is ErrorCode.FILE_NOT_ALLOWED
    assert "PIPEROLL_FILES_ROOTS" in error.message


def test_a_folder_swapped_for_a_link_after_the_check_is_noticed(workspace, tmp_path):
    make_pdf(tmp_path / "secret.pdf")
    (tmp_path / "in" / "folder").symlink_to(tmp_path)
    checked = tmp_path / "in" / "folder" / "secret.pdf"  # as a path that was resolved before the swap would be
    with pytest.raises(ProcessingError) as caught:
        sources._open_settled(checked, workspace.limits, b"%%EOF")
    assert caught.value.code is ErrorCode.FILE_NOT_ALLOWED


class SettlingClock:
    """A clock that only sleeping moves on, and what happens meanwhile: `act`, once `after` seconds were slept."""

    def __init__(self, after=float("inf"), act=None):
        self.slept = 0.0
        self._began = time.time()
        self._after = after
        self._act = act

    def monotonic(self):
        return self.slept

    def time(self):
        return self._began + self.slept

    def sleep(self, seconds):
        before, self.slept = self.slept, self.slept + seconds
        if before < self._after <= self.slept:
            self._act()


@pytest.mark.parametrize("how", ["missing", "folder", "pipe", "circle", "too long", "below a file"])
def test_what_cannot_be_read_is_not_found(workspace, tmp_path, monkeypatch, how):
    path = tmp_path / "in" / how
    if how == "folder":
        path.mkdir()
    elif how == "pipe":
        os.mkfifo(path)
    elif how == "circle":
        path.symlink_to(path)
    elif how == "too long":
        path = tmp_path / "in" / ("x" * 300)
    elif how == "below a file":
        path = make_pdf(tmp_path / "in" / "a.pdf") / "b.pdf"
    clock = SettlingClock()
    monkeypatch.setattr(sources, "time", clock)
    assert refused(workspace, path).code is ErrorCode.FILE_NOT_FOUND
    assert clock.slept <= sources.SETTLE_S + sources.SETTLE_STEP_S


@pytest.mark.parametrize("already", [0.0, 0.5], ids=["not there yet", "half there"])
def test_a_file_that_is_still_being_written_is_waited_for(workspace, tmp_path, monkeypatch, already):
    whole = make_pdf(tmp_path / "whole.pdf").read_bytes()
    path = tmp_path / "in" / "a.pdf"
    if already:
        path.write_bytes(whole[: int(len(whole) * already)])
    clock = SettlingClock(sources.SETTLE_S / 4, lambda: path.write_bytes(whole))
    monkeypatch.setattr(sources, "time", clock)
    result, _ = run(workspace, path)
    assert clock.slept >= sources.SETTLE_S / 4
    assert result.pages == 3
    assert result.structured_data["metadata"]["warnings"] == []


# --- uploads --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blob_url", [None, "memory:///"], ids=["local", "remote"])
def test_an_upload_of_the_owner_is_read(tmp_path, blob_url):
    workspace = make_workspace(tmp_path, blob_url)
    content = make_pdf(tmp_path / "a.pdf").read_bytes()
    workspace.blobs.put_named("uploads/owner/file-1/Übersicht 1.pdf", content, "application/pdf")
    result, _ = run(workspace, "upload://file-1/Übersicht 1.pdf", include_images=True)
    assert result.structured_data["metadata"]["file_name"] == "Übersicht 1.pdf"
    assert result.bytes_in == len(content)
    assert len(result.assets) == 3
    assert workspace.scratch.exists() == (blob_url is not None)


@pytest.mark.parametrize("blob_url", [None, "memory:///"], ids=["local", "remote"])
@pytest.mark.parametrize(
    "reference", ["file-2/a.pdf", "file-1/b.pdf", "file-1/", "file-1", "../other/file-1/a.pdf", "file-1/..", "/a.pdf"]
)
def test_an_unknown_upload_and_one_of_another_owner_are_not_found(tmp_path, blob_url, reference):
    workspace = make_workspace(tmp_path, blob_url)
    workspace.blobs.put_named("uploads/owner/file-1/a.pdf", b"x", "application/pdf")
    workspace.blobs.put_named("uploads/other/file-2/a.pdf", b"x", "application/pdf")
    assert refused(workspace, f"upload://{reference}").code is ErrorCode.FILE_NOT_FOUND


def test_a_remote_upload_over_the_size_limit_is_not_fetched(tmp_path):
    workspace = make_workspace(tmp_path, "memory:///", max_bytes=10)
    workspace.blobs.put_named("uploads/owner/file-1/a.pdf", b"x" * 11, "application/pdf")
    assert refused(workspace, "upload://file-1/a.pdf").code is ErrorCode.FILE_TOO_LARGE
    assert not workspace.scratch.exists()
