"""Files that the `pdf` processor refuses or repairs."""

import os

import pytest

from schemas.errors import ErrorCode
from tests.support.runs.local_pdf import make_pdf, refused, run
from tests.support.runs.pdf import pymupdf
from tests.support.runs.pdf import workspace as make_workspace


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
