"""Which errors of a run are faults of the installation, which a job is not charged for."""

import errno
from pathlib import Path

import pytest

from piperoll.store.blobs import BlobMissingError, Blobs, BlobStoreError, BlobUnreadableError, ClaimMismatchError
from schemas.errors import ErrorCode
from services.worker.children.failures import failure
from services.worker.children.scratch import ScratchFolder
from services.worker.errors import ProcessingError


def wrapped(cause: Exception) -> ProcessingError:
    """A processor's own error, raised because of another one."""
    error = ProcessingError(ErrorCode.FILE_NOT_FOUND, "The file does not exist.")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        BlobStoreError("away"),
        OSError(errno.ENOSPC, "disk full"),
        OSError(errno.EROFS, "read-only"),
        OSError(errno.EMFILE, "too many files"),
        wrapped(OSError(errno.ENOSPC, "disk full")),
        wrapped(BlobStoreError("away")),
    ],
)
def test_a_store_or_a_machine_that_fails_is_not_charged(error: Exception) -> None:
    found = failure(error, 5)
    assert (found.code, found.own_fault, found.retryable) == (ErrorCode.STORAGE_ERROR, True, True)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a bug"),
        MemoryError(),
        BlobMissingError("erased"),
        FileNotFoundError(errno.ENOENT, "no file"),
        wrapped(FileNotFoundError(errno.ENOENT, "no file")),
        ClaimMismatchError("other content"),
        BlobUnreadableError("no blob can be at this path"),
    ],
)
def test_what_another_attempt_would_meet_again_is_charged(error: Exception) -> None:
    assert not failure(error, 5).own_fault


def test_the_probe_of_a_store_writes_and_leaves_nothing(tmp_path: Path) -> None:
    blobs = Blobs((tmp_path / "blobs").as_uri())
    blobs.check("host/worker-1")
    assert list(blobs.list("")) == []
    assert list((tmp_path / "blobs").iterdir()) == [], "an unmounted volume stays empty"
    (tmp_path / "blobs" / "piperoll-check").write_text("a file where the folder should be")
    with pytest.raises(BlobStoreError):
        blobs.check("host/worker-1")


def test_the_probe_of_the_scratch_folder_fails_when_it_cannot_be_written(tmp_path: Path) -> None:
    scratch = ScratchFolder(str(tmp_path))
    scratch.check()
    assert [path.name for path in scratch.path.iterdir()] == ["lock"]
    scratch.close()
    with pytest.raises(OSError, match="check"):
        scratch.check()
