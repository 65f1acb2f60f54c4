"""Who may look into the folders of runs: other accounts of the machine see no content of jobs there."""

import hashlib
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from piperoll.store.blobs import Blobs
from services.worker.children.broker import Broker
from services.worker.children.channel import Received
from services.worker.children.errands import StoreErrand
from services.worker.children.grants import Grant
from services.worker.children.scratch import ScratchFolder


@pytest.mark.parametrize(("user", "mode"), [(1000, 0o700), (0, 0o711)])
def test_only_the_accounts_of_sandboxes_reach_the_folder_of_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, mode: int
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    scratch = ScratchFolder(str(tmp_path))
    assert stat.S_IMODE(scratch.path.stat().st_mode) == mode
    scratch.close()


def test_the_copy_of_a_document_is_for_the_child_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []
    stored = Blobs.put_file

    def put_file(self: Blobs, uri: str, source: BinaryIO, media_type: str | None = None) -> Any:
        modes.extend(stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("content"))
        return stored(self, uri, source, media_type)

    monkeypatch.setattr(Blobs, "put_file", put_file)
    (tmp_path / "inputs").mkdir()
    (tmp_path / "a").write_bytes(b"x")
    grant = Grant("job-1", "run-1", "acme", frozenset(), finds_documents=True)
    broker = Broker(Blobs((tmp_path / "blobs").as_uri()), grant, tmp_path / "inputs", lambda: None)
    uri = f"documents/doc-1/{hashlib.sha256(b'x').hexdigest()}"
    errand = StoreErrand(call="put_file", uris=(uri,))
    answer, _ = broker.carry_out(errand, Received(b"", b"", os.open(tmp_path / "a", os.O_RDONLY)))
    assert answer.problem is None
    assert modes == [0o600]
