"""What the `sync` processor lists: hidden files, large files, odd names, long lists, progress."""

import os
from pathlib import Path
from typing import Any

import pytest

from services.worker.processors.sync.folder import LocalFolder
from tests.support.runs.folders import write
from tests.support.runs.sync import Syncing, paths


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


def test_a_name_with_a_backslash_is_a_name(syncing: Syncing, source: Path) -> None:
    write(source, "back\\slash.txt")
    write(source, "in/two\\three.txt")
    result = syncing.run()
    assert paths(result, "added") == ["back\\slash.txt", "in/two\\three.txt"]
    assert result.structured_data["failed"] == []


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


@pytest.mark.parametrize("how", ["outside", "elsewhere inside"])
def test_a_folder_that_becomes_a_link_while_it_is_listed_is_not_followed(
    syncing: Syncing, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    write(source, "sub/a.txt")
    other = source / ".hidden" if how == "elsewhere inside" else tmp_path / "private"
    write(other, "secret.txt")
    really = LocalFolder._list_folder

    def swapped(self: LocalFolder, below: str, *more: Any) -> int:
        if below == "sub":
            (source / "sub").rename(source / ".moved")
            (source / "sub").symlink_to(other)
        return really(self, below, *more)

    monkeypatch.setattr(LocalFolder, "_list_folder", swapped)
    result = syncing.run()
    assert paths(result, "added") == []
    assert "secret" not in f"{result}"
    assert any("could not be listed" in note for note in result.notes)
