"""The `sync` processor on real folders: what is found, what is passed over, and what is refused."""

import os
from pathlib import Path
from typing import Any

import pytest

from piperoll.store import document_paths as documents
from piperoll.store.blobs import Blobs, BlobStoreError
from schemas.documents import KnownDocument
from schemas.errors import ErrorCode
from schemas.ids import found_document_id
from services.worker.errors import ProcessingError
from services.worker.processors.sync import processor as sync
from tests.support.runs.sync import FOLDER_ID, Reports, Syncing, counts, paths


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in" / "Ablage"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def syncing(tmp_path: Path, source: Path) -> Syncing:
    return Syncing(tmp_path, Blobs(f"file://{tmp_path}/blobs"), source.as_uri())


def write(folder: Path, name: str, content: str = "content") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def refusal(syncing: Syncing, source: str | None = None) -> ProcessingError:
    with pytest.raises(ProcessingError) as caught:
        syncing.run(source)
    assert caught.value.message.endswith(".")
    return caught.value


# --- what is found --------------------------------------------------------------------------------------------


def test_a_document_found_is_stored_with_its_name_its_place_and_its_content(syncing: Syncing, source: Path) -> None:
    write(source, "2024/Übersicht #1.md", "Grüße")
    result = syncing.run()
    (one,) = syncing.findings(result).found
    assert one.document_id == found_document_id(f"{FOLDER_ID}/{syncing.source}", "2024/Übersicht #1.md")
    assert (one.name, one.source) == ("Übersicht #1.md", f"file://{source}/2024/Übersicht #1.md")
    assert one.content.uri == f"documents/{one.document_id}/{one.content.sha256}"
    assert one.content.media_type == "text/markdown"
    assert syncing.blobs.get(one.content.uri).decode() == "Grüße"
    assert result.bytes_in == len("Grüße".encode())
    assert result.structured_data["added"] == [{"path": "2024/Übersicht #1.md", "document_id": one.document_id}]


def test_the_spelling_of_a_source_does_not_matter(syncing: Syncing, source: Path) -> None:
    write(source, "a.txt")
    syncing.run()
    for spelling in (f"file://{source}/", f"file://{source}//.", syncing.source.replace("A", "%41")):
        assert counts(syncing.run(spelling)) == (0, 0, 0, 1)


def test_a_file_that_is_written_replaced_or_put_back_has_changed(syncing: Syncing, source: Path) -> None:
    path = write(source, "a.txt", "first")
    first = syncing.findings(syncing.run()).found[0]
    write(source, "a.txt", "other")
    changed = syncing.run()
    assert counts(changed) == (0, 1, 0, 0)
    (second,) = syncing.findings(changed).found
    assert second.document_id == first.document_id
    assert syncing.blobs.get(second.content.uri) == b"other"
    about = path.stat()
    write(source, "new.txt", "third").rename(path)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))  # same size, same time, another file
    assert counts(syncing.run()) == (0, 1, 0, 0)
    assert counts(syncing.run()) == (0, 0, 0, 1)


def test_a_file_that_comes_back_after_its_document_was_removed_is_a_new_document(
    syncing: Syncing, source: Path, tmp_path: Path
) -> None:
    """Nothing brings a removed document back, and moving a file out and in again changes neither time nor size."""
    path = write(source, "a.txt")
    first = syncing.findings(syncing.run()).found[0].document_id
    path.rename(tmp_path / "away.txt")
    removed = syncing.run()
    assert [one.document_id for one in syncing.findings(removed).lost] == [first]
    syncing.blobs.put_named(documents.removal_of(first), b"", "text/plain")  # as the worker does with its facts
    (tmp_path / "away.txt").rename(path)
    second = syncing.findings(syncing.run()).found[0].document_id
    assert second != first
    assert counts(syncing.run()) == (0, 0, 0, 1)


def test_what_the_read_model_does_not_know_yet_is_found_under_the_same_id(syncing: Syncing, source: Path) -> None:
    write(source, "a.txt")
    first = syncing.findings(syncing.run()).found
    syncing.known.clear()
    assert syncing.findings(syncing.run()).found == first


def test_documents_of_another_source_or_of_an_import_are_left_alone(syncing: Syncing, source: Path) -> None:
    write(source, "sub/a.txt")
    for number, place in enumerate(["https://example.com/a.txt", f"file://{source}side/a.txt", str(source / "x.txt")]):
        name = f"doc-{number}"
        syncing.known[name] = KnownDocument(document_id=name, source=place, revision="1")
    assert counts(syncing.run()) == (1, 0, 0, 0)
    assert counts(syncing.run(f"{syncing.source}/sub")) == (0, 0, 0, 1)
    assert len(syncing.known) == 4


# --- what is removed ------------------------------------------------------------------------------------------


def test_the_jobs_of_a_lost_document_are_named_with_it(syncing: Syncing, source: Path) -> None:
    path = write(source, "a.txt")
    syncing.run()
    path.unlink()
    (lost,) = syncing.findings(syncing.run()).lost
    assert lost.jobs[0] == "job-of-it"
    assert len(lost.jobs) == 2  # and the one of its last revision, whether the read model has it or not
    assert syncing.known == {}


def test_what_is_gone_stays_when_it_is_not_to_be_deleted(syncing: Syncing, source: Path) -> None:
    path = write(source, "a.txt")
    syncing.run()
    path.unlink()
    result = syncing.run(delete_removed=False)
    assert (counts(result), result.findings) == ((0, 0, 0, 0), None)
    assert "delete_removed" in result.notes[0]


def test_a_folder_that_cannot_be_listed_loses_nothing(
    syncing: Syncing, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source, "sub/a.txt")
    syncing.run()
    scan = os.scandir

    def scan_but_not_all(path: Path) -> Any:
        if path.name == "sub":
            raise PermissionError("root would be let in")
        return scan(path)

    monkeypatch.setattr(os, "scandir", scan_but_not_all)
    result = syncing.run()
    assert counts(result) == (0, 0, 0, 0)
    assert any("could not be listed" in note for note in result.notes)


# --- what is passed over --------------------------------------------------------------------------------------


def test_hidden_files_links_and_unknown_types_are_passed_over_and_noted(
    syncing: Syncing, source: Path, tmp_path: Path
) -> None:
    secret = write(tmp_path, "secret.txt")
    for name in (".hidden.txt", ".git/config.txt", "program.exe", "noending"):
        write(source, name)
    (source / "link.txt").symlink_to(secret)
    (source / "circle").symlink_to(source)
    (source / "broken.txt").symlink_to(tmp_path / "nothing.txt")
    write(source, "a.txt")
    result = syncing.run()
    assert paths(result, "added") == ["a.txt"]
    assert result.structured_data["skipped"] == ["broken.txt", "circle", "link.txt", "noending", "program.exe"]
    assert result.counts["filesSkipped"] == 7
    assert result.counts["filesFailed"] == 0
    assert len(result.notes) == 3


def test_a_file_that_is_too_large_is_named_and_hinders_no_other(syncing: Syncing, source: Path) -> None:
    write(source, "large.txt", "x" * 100_001)
    write(source, "small.txt")
    result = syncing.run()
    assert paths(result, "added") == ["small.txt"]
    (failed,) = result.structured_data["failed"]
    assert (failed["path"], failed["code"]) == ("large.txt", "FILE_TOO_LARGE")
    assert (result.counts["filesFailed"], result.counts["filesProcessed"]) == (1, 2)


def test_a_document_whose_file_grew_too_large_is_not_lost(syncing: Syncing, source: Path) -> None:
    write(source, "a.txt")
    syncing.run()
    write(source, "a.txt", "x" * 100_001)
    result = syncing.run()
    assert (result.counts["filesFailed"], result.counts["filesRemoved"], result.findings) == (1, 0, None)


def test_a_name_that_cannot_be_decoded_is_reported_with_replacements(syncing: Syncing, source: Path) -> None:
    (Path(os.fsdecode(os.fsencode(source) + b"/caf\xe9.txt"))).write_text("content")
    (failed,) = syncing.run().structured_data["failed"]
    assert failed["path"] == "caf\ufffd.txt"


def test_long_lists_are_cut_and_counts_are_not(syncing: Syncing, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.worker.files.document_intake.LISTED", 2)
    for number in range(5):
        write(source, f"{number}.txt")
    result = syncing.run()
    assert paths(result, "added") == ["0.txt", "1.txt"]
    assert result.counts["filesAdded"] == len(syncing.findings(result).found) == 5


def test_progress_rises_with_every_file(syncing: Syncing, source: Path) -> None:
    for number in range(20):
        write(source, f"{number}.txt")
    syncing.run()
    steps = list(dict.fromkeys(step for step, _ in syncing.reports))
    assert steps == ["initializing", "listing_source", "copying_files", "finalizing"]
    percents = [percent for _, percent in syncing.reports]
    assert percents == sorted(percents)
    assert len(set(percents)) > 20


# --- what is refused ------------------------------------------------------------------------------------------


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
