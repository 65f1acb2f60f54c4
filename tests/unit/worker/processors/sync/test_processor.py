"""The `sync` processor on real folders: what is found, changed and removed."""

import os
from pathlib import Path
from typing import Any

import pytest

from piperoll.store import document_paths as documents
from schemas.documents import KnownDocument, ResolvedSync
from schemas.ids import found_document_id
from schemas.job_types.sync import SyncParameters
from services.worker.processors.sync import processor as sync
from services.worker.processors.sync.folder import LocalFolder
from tests.support.runs.folders import write
from tests.support.runs.sync import FOLDER_ID, Reports, Syncing, counts


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
    removed = syncing.run(confirm_removals=True)
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


def test_the_jobs_of_a_lost_document_are_named_with_it(syncing: Syncing, source: Path) -> None:
    path = write(source, "a.txt")
    syncing.run()
    path.unlink()
    (lost,) = syncing.findings(syncing.run(confirm_removals=True)).lost
    assert lost.jobs[0] == "job-of-it"
    assert lost.parameters["job-of-it"].uri.startswith("segments/")
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
    really = LocalFolder._list_folder

    def list_but_not_all(self: LocalFolder, below: str, *more: Any) -> int:
        if below == "sub":
            raise PermissionError("root would be let in")
        return really(self, below, *more)

    monkeypatch.setattr(LocalFolder, "_list_folder", list_but_not_all)
    result = syncing.run()
    assert counts(result) == (0, 0, 0, 0)
    assert any("could not be listed" in note for note in result.notes)


def test_nothing_stays_of_a_document_that_is_removed_while_it_is_copied(syncing: Syncing, source: Path) -> None:
    write(source, "a.txt")
    (first,) = syncing.findings(syncing.run()).found
    document_id = first.document_id
    write(source, "a.txt", "changed")

    class Removing(Reports):
        def __call__(self, step: str, percent: int, *_: object, **__: object) -> None:
            if step == "copying_files":  # within a call of the store, which allows no other one
                marker = syncing.tmp_path / "blobs" / documents.removal_of(document_id)
                marker.parent.mkdir(exist_ok=True)
                marker.touch()

    resolved = ResolvedSync(folder_id=FOLDER_ID, name="Trial", documents=tuple(syncing.known.values()))
    parameters = SyncParameters(source=syncing.source, folder_id=FOLDER_ID)
    sync.process(parameters, syncing.workspace(resolved), Removing())
    assert list(syncing.blobs.list(documents.content_of(document_id))) == [first.content.uri], "as the removal found it"


def test_a_source_that_is_not_mounted_loses_no_document_until_that_is_confirmed(syncing: Syncing, source: Path) -> None:
    path = write(source, "a.txt")
    syncing.run()
    path.unlink()
    result = syncing.run()
    assert (counts(result), result.findings) == ((0, 0, 0, 0), None)
    assert "confirm_removals: true" in result.notes[0]
    assert counts(syncing.run(confirm_removals=True)) == (0, 0, 1, 0)


@pytest.mark.parametrize(("gone", "removed"), [(10, 10), (16, 0)])
def test_a_source_that_lost_most_of_its_files_keeps_their_documents_and_takes_in_new_ones(
    syncing: Syncing, source: Path, gone: int, removed: int
) -> None:
    for number in range(20):
        write(source, f"{number}.txt")
    syncing.run()
    for number in range(gone):
        (source / f"{number}.txt").unlink()
    write(source, "new.txt")
    result = syncing.run()
    assert counts(result) == (1, 0, removed, 20 - gone)
    assert bool(result.notes) == (removed == 0)
