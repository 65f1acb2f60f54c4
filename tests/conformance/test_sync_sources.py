"""Sources that are synchronised: a folder and a bucket of an S3 server behind the same cases."""

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit
from uuid import uuid4

import boto3
import pytest

from piperoll.store.blobs import Blobs
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from tests.support.runs.sync import Syncing, counts, paths


class Folder:
    """A source on this disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.url = path.as_uri()

    def put(self, name: str, content: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def delete(self, name: str) -> None:
        (self.path / name).unlink()


class Prefix:
    """A source in a bucket."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
        parts = urlsplit(url)
        self._bucket, self._prefix = parts.netloc, parts.path.lstrip("/")

    def put(self, name: str, content: str) -> None:
        self._client.put_object(Bucket=self._bucket, Key=f"{self._prefix}/{name}", Body=content.encode())

    def delete(self, name: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=f"{self._prefix}/{name}")


@pytest.fixture(params=["folder", "bucket"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Folder | Prefix:
    if request.param == "folder":
        return Folder(tmp_path / "in" / "Ablage")
    return Prefix(f"{request.getfixturevalue('s3_url')}/sources/{uuid4().hex}")


@pytest.fixture
def syncing(source: Folder | Prefix, blob_url: str, tmp_path: Path) -> Syncing:
    return Syncing(tmp_path, Blobs(blob_url), source.url)


def test_two_synchronisations_of_the_same_files_find_them_once(source: Folder | Prefix, syncing: Syncing) -> None:
    for name in ("a.txt", "deep/er/ü b.pdf", "deep/100%.md", "x#1?.txt"):
        source.put(name, f"content of {name}")
    first = syncing.run()
    assert counts(first) == (4, 0, 0, 0)
    again = syncing.run()
    assert (counts(again), again.findings) == ((0, 0, 0, 4), None)
    for found in syncing.findings(first).found:
        path = found.source.removeprefix(f"{syncing.source}/")
        assert syncing.blobs.get(found.content.uri).decode() == f"content of {path}"


def test_added_changed_and_removed_files_are_distinguished(source: Folder | Prefix, syncing: Syncing) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        source.put(name, "first")
    first = {one.name: one.document_id for one in syncing.findings(syncing.run()).found}
    source.put("a.txt", "second")
    source.delete("b.txt")
    source.put("d.txt", "first")
    result = syncing.run()
    assert counts(result) == (1, 1, 1, 1)
    assert [paths(result, kind) for kind in ("added", "changed", "removed")] == [["d.txt"], ["a.txt"], ["b.txt"]]
    assert result.structured_data["changed"][0]["document_id"] == first["a.txt"]
    assert result.structured_data["removed"][0]["document_id"] == first["b.txt"]


def test_an_emptied_source_removes_everything(source: Folder | Prefix, syncing: Syncing) -> None:
    source.put("a.txt", "content")
    source.put("b/c.txt", "content")
    syncing.run()
    source.delete("a.txt")
    source.delete("b/c.txt")
    assert counts(syncing.run(confirm_removals=True)) == (0, 0, 2, 0)


def test_hidden_files_and_other_types_are_passed_over(source: Folder | Prefix, syncing: Syncing) -> None:
    for name in (".hidden.txt", ".git/config.txt", "program.exe", "a.txt"):
        source.put(name, "content")
    result = syncing.run()
    assert paths(result, "added") == ["a.txt"]
    assert result.counts["filesSkipped"] == 3


def test_a_file_beyond_the_limit_is_named(source: Folder | Prefix, syncing: Syncing) -> None:
    source.put("large.txt", "x" * 100_001)
    source.put("small.txt", "x")
    result = syncing.run()
    assert [one["code"] for one in result.structured_data["failed"]] == ["FILE_TOO_LARGE"]
    assert paths(result, "added") == ["small.txt"]


def test_nothing_of_a_run_stays_on_this_disk(source: Folder | Prefix, syncing: Syncing, tmp_path: Path) -> None:
    source.put("a.txt", "content")
    syncing.run()
    assert [path for path in tmp_path.glob("scratch/**/*") if path.is_file()] == []


# --- object stores that refuse --------------------------------------------------------------------------------


@pytest.fixture
def refusal(s3_url: str, tmp_path: Path) -> Callable[..., ProcessingError]:
    def run(source: str, blob_url: str = "") -> ProcessingError:
        syncing = Syncing(tmp_path, Blobs(blob_url or f"file://{tmp_path}/blobs"), source)
        with pytest.raises(ProcessingError) as caught:
            syncing.run()
        return caught.value

    return run


def test_a_bucket_that_does_not_exist_is_not_taken_for_an_empty_one(refusal: Callable[..., ProcessingError]) -> None:
    error = refusal("s3://no-such-bucket/x")
    assert (error.code, error.retryable) == (ErrorCode.FILE_NOT_FOUND, False)


def test_an_object_store_that_does_not_answer_may_do_so_later(
    refusal: Callable[..., ProcessingError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    error = refusal("s3://piperoll/x")
    assert (error.code, error.retryable) == (ErrorCode.NETWORK_ERROR, True)
    assert "127.0.0.1" not in error.message


@pytest.mark.parametrize("source", ["", "/", "/store", "/store/job-1", "/%73tore", "//store/"])
def test_the_prefix_of_the_blob_store_is_refused_as_a_source(
    refusal: Callable[..., ProcessingError], s3_url: str, source: str
) -> None:
    error = refusal(f"{s3_url}{source}", f"{s3_url}/store")
    assert error.code is ErrorCode.FILE_NOT_ALLOWED
    assert "blob store" in error.message


def test_another_prefix_of_that_bucket_is_one(s3_url: str, tmp_path: Path) -> None:
    assert counts(Syncing(tmp_path, Blobs(f"{s3_url}/store"), f"{s3_url}/{quote('store 2')}").run()) == (0, 0, 0, 0)
