"""Uploads that a `pdf` job names."""

import pytest

from schemas.errors import ErrorCode
from tests.support.runs.local_pdf import make_pdf, refused, run
from tests.support.runs.pdf import workspace as make_workspace


@pytest.mark.parametrize("blob_url", [None, "memory:///"], ids=["local", "remote"])
def test_an_upload_of_the_owner_is_read(tmp_path, blob_url):
    workspace = make_workspace(tmp_path, blob_url=blob_url)
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
    workspace = make_workspace(tmp_path, blob_url=blob_url)
    workspace.blobs.put_named("uploads/owner/file-1/a.pdf", b"x", "application/pdf")
    workspace.blobs.put_named("uploads/other/file-2/a.pdf", b"x", "application/pdf")
    assert refused(workspace, f"upload://{reference}").code is ErrorCode.FILE_NOT_FOUND


def test_a_remote_upload_over_the_size_limit_is_not_fetched(tmp_path):
    workspace = make_workspace(tmp_path, blob_url="memory:///", max_bytes=10)
    workspace.blobs.put_named("uploads/owner/file-1/a.pdf", b"x" * 11, "application/pdf")
    assert refused(workspace, "upload://file-1/a.pdf").code is ErrorCode.FILE_TOO_LARGE
    assert not workspace.scratch.exists()
