"""The `import` processor: files, uploads and addresses become documents; what fails is named."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from piperoll.store.blobs import Blobs
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from tests.support.runs.sync import Syncing
from tests.support.servers.website import Website
from tests.support.waiting import PATIENCE_S

LOOPBACK = (ip_network("127.0.0.0/8"),)
FILE_ID = "file-1"


@pytest.fixture
def importing(tmp_path: Path) -> Syncing:
    (tmp_path / "in").mkdir()
    limits = {"networks": LOOPBACK, "fetch_timeout_s": PATIENCE_S}
    return Syncing(tmp_path, Blobs(f"file://{tmp_path}/blobs"), "", limits=limits)


def local(importing: Syncing, name: str, content: str = "content") -> dict[str, str]:
    path = importing.tmp_path / "in" / name
    path.write_text(content)
    return {"filename": str(path)}


def upload(importing: Syncing, name: str) -> dict[str, str]:
    importing.blobs.put_named(f"uploads/acme/{FILE_ID}/{name}", b"an upload", "text/plain")
    return {"filename": f"upload://{FILE_ID}/{name}"}


def test_files_uploads_and_addresses_become_documents(importing: Syncing, site: Website) -> None:
    url = site.file("/import/page", b"<p>Words</p>", "text/html; charset=utf-8")
    result = importing.import_items(local(importing, "a.md"), upload(importing, "b.txt"), {"url": url})
    findings = importing.findings(result)
    assert [(one.name, one.content.media_type) for one in findings.found] == [
        ("a.md", "text/markdown"),
        ("b.txt", "text/plain"),
        ("page", "text/html"),
    ]
    contents = [importing.blobs.get(one.content.uri) for one in findings.found]
    assert contents == [b"content", b"an upload", b"<p>Words</p>"]
    assert all(one.revision == one.content.sha256 for one in findings.found)
    assert result.counts == {"filesAdded": 3, "filesFailed": 0, "filesProcessed": 3}
    assert findings.folder_id is None
    assert [path for path in importing.tmp_path.glob("scratch/**/*") if path.is_file()] == []


def test_another_attempt_of_the_job_gives_the_same_documents(importing: Syncing) -> None:
    items = (local(importing, "a.md"), local(importing, "b.md"))
    first = importing.findings(importing.import_items(*items, folder_id="folder-1"))
    importing.blobs.delete_folder("job-1")
    assert importing.findings(importing.import_items(*items, folder_id="folder-1")) == first
    assert first.folder_id == "folder-1"


def test_what_fails_is_named_and_hinders_no_other(importing: Syncing, site: Website) -> None:
    result = importing.import_items(
        {"filename": str(importing.tmp_path / "secret.txt")},
        {"filename": str(importing.tmp_path / "in" / "nothing.txt")},
        local(importing, "large.txt", "x" * 100_001),
        local(importing, "program.exe"),
        {"url": site.status("/import/missing", 404)},
        {"filename": "upload://file-2/nothing.txt"},
        local(importing, "a.md"),
    )
    failed = result.structured_data["failed"]
    assert [(one["index"], str(one["code"])) for one in failed] == [
        (0, "FILE_NOT_ALLOWED"),
        (1, "FILE_NOT_FOUND"),
        (2, "FILE_TOO_LARGE"),
        (3, "UNSUPPORTED_FILE_TYPE"),
        (4, "URL_NOT_FOUND"),
        (5, "FILE_NOT_FOUND"),
    ]
    assert all(one["message"].endswith(".") for one in failed)
    assert failed[4]["url"] == site.url("/import/missing")
    assert [one.name for one in importing.findings(result).found] == ["a.md"]
    assert result.counts == {"filesAdded": 1, "filesFailed": 6, "filesProcessed": 7}
    assert result.notes == ("6 of 7 items could not be taken in.",)


@pytest.mark.parametrize(("first", "retryable"), [(404, False), (503, True)])
def test_a_job_of_which_all_items_fail_fails_as_the_first_did(
    importing: Syncing, site: Website, first: int, retryable: bool
) -> None:
    with pytest.raises(ProcessingError) as caught:
        importing.import_items({"url": site.status("/import/first", first)}, local(importing, "program.exe"))
    expected = ErrorCode.HTTP_ERROR if retryable else ErrorCode.URL_NOT_FOUND
    assert (caught.value.code, caught.value.retryable) == (expected, retryable)


def test_private_addresses_are_blocked(importing: Syncing) -> None:
    importing.limits = {}
    with pytest.raises(ProcessingError) as caught:
        importing.import_items({"url": "http://127.0.0.1:9/a.txt"})
    assert caught.value.code is ErrorCode.BLOCKED_ADDRESS


def test_one_file_given_twice_is_two_documents(importing: Syncing) -> None:
    item = local(importing, "a.md")
    found = importing.findings(importing.import_items(item, item)).found
    assert len({one.document_id for one in found}) == 2
