"""Writes to a store in a folder: whole or not at all, and what a killed process leaves of them."""

import os
import signal
from pathlib import Path

import pytest

from piperoll.store.blobs import Blobs, BlobStoreError

SECRET = b"a text that must not stay"


@pytest.fixture
def store(tmp_path: Path) -> Blobs:
    """An empty store."""
    return Blobs(tmp_path.as_uri())


def _killed_while_it_writes(store: Blobs, uri: str) -> None:
    """Have a process write a blob that ends when all is written but its name."""
    child = os.fork()
    if child == 0:
        os.link = lambda *_args, **_more: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        try:
            store.put_named(uri, SECRET, "text/plain")
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def _files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_write_that_was_killed_makes_no_blob_and_does_not_hinder_the_next_one(store: Blobs, tmp_path: Path) -> None:
    _killed_while_it_writes(store, "job-1/run/a")
    assert [path.read_bytes() for path in _files(tmp_path)] == [SECRET]
    assert list(store.list("job-1")) == []
    store.put_named("job-1/run/a", b"whole", "text/plain")
    assert store.get("job-1/run/a") == b"whole"


def test_what_a_killed_write_left_goes_with_its_folder(store: Blobs, tmp_path: Path) -> None:
    _killed_while_it_writes(store, "job-1/run/a")
    _killed_while_it_writes(store, "job-1/run/a")
    store.put_named("job-1/in/b", b"content", "text/plain")
    store.put_named("job-10/in/b", b"of another job", "text/plain")
    assert store.delete_folder("job-1") == 1
    assert [path.read_bytes() for path in _files(tmp_path)] == [b"of another job"]
    assert not (tmp_path / "job-1").exists()


@pytest.mark.parametrize("call", ["write", "fsync", "link"])
def test_a_write_that_fails_leaves_nothing_behind(
    store: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_args: object, **_more: object) -> int:
        raise OSError("no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(BlobStoreError, match="no space left"):
            store.put_named("job-1/run/a", SECRET, "text/plain")
    unfinished = [path for path in _files(tmp_path) if "#" in path.name]
    assert unfinished == []
    store.put_named("job-1/run/a", SECRET, "text/plain")
    assert store.get("job-1/run/a") == SECRET


def test_a_write_does_not_remove_the_file_of_another_one_of_the_same_blob(
    store: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.replace

    def before_another_writer(source: str, target: Path) -> None:
        rename(source, target)
        Path(source).write_bytes(b"of the other writer")  # the name is free as soon as the file has another one

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", before_another_writer)
        store.replace("marker", b"first")
    assert store.get("marker") == b"first"
    assert (tmp_path / "marker#1").read_bytes() == b"of the other writer"


def test_a_write_makes_its_folder_again_if_that_is_removed_meanwhile(
    store: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    removals = iter(range(3))

    def removed_at_once(folder: Path, **_options: bool) -> None:
        os.makedirs(folder)  # noqa: PTH103 - `mkdir` is this function
        if next(removals, None) is not None:
            folder.rmdir()  # an erasure removes empty folders

    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", removed_at_once)
        store.put_named("job-1/run/a", b"content", "text/plain")
    assert store.get("job-1/run/a") == b"content"


def test_what_a_killed_write_left_goes_by_its_age(store: Blobs, tmp_path: Path) -> None:
    _killed_while_it_writes(store, "job-1/run/a")
    _killed_while_it_writes(store, "uploads/acme/f1/b")
    store.put_named("job-1/run/c", b"content", "text/plain")
    old = tmp_path / "uploads/acme/f1/b#1"
    for path in (old, tmp_path / "job-1/run/c"):
        os.utime(path, (0, 0))
    assert store.remove_abandoned(3600) == 1
    assert sorted(path.name for path in _files(tmp_path)) == ["a#1", "c"]
