"""Sources that the `sync` processor refuses."""

from pathlib import Path

import pytest

from piperoll.store.blobs import Blobs, BlobStoreError
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.processors.sync import processor as sync
from tests.support.runs.folders import write
from tests.support.runs.sync import FOLDER_ID, Reports, Syncing


def refusal(syncing: Syncing, source: str | None = None) -> ProcessingError:
    with pytest.raises(ProcessingError) as caught:
        syncing.run(source)
    assert caught.value.message.endswith(".")
    return caught.value


def test_a_source_outside_the_roots_is_refused_whether_it_exists_or_not(syncing: Syncing, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for place in ("out", "nowhere"):
        error = refusal(syncing, (tmp_path / place).as_uri())
        assert error.code is ErrorCode.FILE_NOT_ALLOWED
        assert "PIPEROLL_FILES_ROOTS" in error.message


def test_a_source_that_is_a_link_out_of_the_roots_is_refused(syncing: Syncing, source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (source / "link").symlink_to(tmp_path / "out")
    assert refusal(syncing, (source / "link").as_uri()).code is ErrorCode.FILE_NOT_ALLOWED


def test_a_source_that_is_not_there_or_no_folder_is_not_taken_for_an_empty_one(syncing: Syncing, source: Path) -> None:
    path = write(source, "a.txt")
    for place in (source / "nowhere", path):
        assert refusal(syncing, place.as_uri()).code is ErrorCode.FILE_NOT_FOUND


@pytest.mark.parametrize("inside", [True, False])
def test_the_blob_store_is_refused_as_a_source(tmp_path: Path, inside: bool) -> None:
    """What lies there belongs to all owners."""
    store = tmp_path / "in" / "blobs"
    store.mkdir(parents=True)
    folder = store / "job-1" if inside else tmp_path / "in"
    folder.mkdir(exist_ok=True)
    syncing = Syncing(tmp_path, Blobs(store.as_uri()), folder.as_uri())
    assert "blob store" in refusal(syncing).message


def test_a_job_without_its_folder_is_refused(syncing: Syncing) -> None:
    asked = sync.SyncParameters(source=syncing.source, folder_id=FOLDER_ID)
    with pytest.raises(ProcessingError, match=FOLDER_ID):
        sync.process(asked, syncing.workspace(), Reports())


def test_a_blob_store_that_fails_ends_the_run_and_not_the_file(tmp_path: Path, source: Path) -> None:
    write(source, "a.txt")
    store = tmp_path / "blobs"
    syncing = Syncing(tmp_path, Blobs(store.as_uri()), source.as_uri())
    write(store, "documents", "a file where a folder should be")
    with pytest.raises(BlobStoreError):
        syncing.run()


def test_more_files_than_a_run_can_take_account_of_are_refused(
    syncing: Syncing, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "MAX_FILES", 2)
    for number in range(3):
        write(source, f"{number}.txt")
    error = refusal(syncing)
    assert (error.code, error.retryable) == (ErrorCode.PROCESSING_ERROR, False)
