"""The trial of a store: what it leaves behind, and with which sizes it is made."""

import asyncio
import os
from pathlib import Path

import pytest

from piperoll.store.blobs import CHECK_BYTES, AsyncBlobs, Blobs, BlobStoreError
from piperoll.store.probe import StoreProbe


class Trials(Blobs):
    """A store in memory that notes the trials, and refuses those of more than `room` bytes."""

    def __init__(self, room: int) -> None:
        super().__init__("memory:///")
        self.room = room
        self.made: list[tuple[str, int]] = []

    def check(self, name: str, size: int = CHECK_BYTES) -> None:
        """See Blobs.check."""
        self.made.append((name, size))
        if size > self.room:
            raise BlobStoreError("no space left on device")


async def test_a_trial_has_the_size_in_question_within_bounds_and_always_the_same_name() -> None:
    store = Trials(room=300_000)
    probe = StoreProbe(AsyncBlobs(store), "worker-1-batches", largest=1_000_000)
    answers = [await probe.answers(size) for size in (1, 300_000, 300_001, 2**50)]
    assert answers == [True, True, False, False]
    assert store.made == [("worker-1-batches", size) for size in (CHECK_BYTES, 300_000, 300_001, 1_000_000)]


async def test_questions_about_one_size_that_are_asked_at_once_share_a_trial() -> None:
    store = Trials(room=300_000)
    probe = StoreProbe(AsyncBlobs(store), "worker-1-batches", largest=1_000_000)
    answers = await asyncio.gather(*(probe.answers(200_000) for _ in range(20)))
    assert all(answers)
    assert len(store.made) <= 2


@pytest.mark.parametrize("fault", ["put", "get"])
def test_a_trial_that_fails_leaves_no_blob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    store = Blobs(tmp_path.as_uri())

    def get(_uri: str) -> bytes:
        raise BlobStoreError("input/output error")

    def flush(_file: int) -> None:
        raise OSError("no space left on device")

    if fault == "get":
        monkeypatch.setattr(store, "get", get)
    else:
        monkeypatch.setattr(os, "fsync", flush)
    with pytest.raises(BlobStoreError):
        store.check("worker-1", 1_000_000)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_of_a_trial_goes_with_the_next_one_of_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "piperoll-check"
    folder.mkdir()
    for left in ("worker-1", "worker-1#1", "worker-1#2"):  # written in full, and halves of a write
        (folder / left).write_bytes(bytes(1000))
    (folder / "worker-10#1").write_bytes(b"of a write at present")
    Blobs(tmp_path.as_uri()).check("worker-1")
    assert [path.name for path in folder.iterdir()] == ["worker-10#1"]
