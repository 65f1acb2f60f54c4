"""What a child does for a sandbox: links to blobs, files that are stored, and errors that are answers."""

import errno
import fcntl
import hashlib
import os
from pathlib import Path

import pytest

from piperoll.store.blobs import Blobs
from services.worker.children.broker import Broker
from services.worker.children.brokered_blobs import answer_of
from services.worker.children.channel import Received
from services.worker.children.errand_file import ErrandFileError
from services.worker.children.errands import Answer, StoreErrand
from services.worker.children.grants import Grant

UPLOAD = "uploads/acme/file-1/a.pdf"
CONTENT = b"content of a document"
SHA = hashlib.sha256(CONTENT).hexdigest()


class Desk:
    """A broker of one run over a local store."""

    def __init__(self, folder: Path) -> None:
        self.blobs = Blobs((folder / "blobs").as_uri())
        self.inputs = folder / "inputs"
        self.inputs.mkdir()
        self.grant = Grant("job-1", "run-1", "acme", frozenset(), finds_documents=True)
        self.broker = Broker(self.blobs, self.grant, self.inputs, lambda: None)

    def ask(self, call: str, uri: str, payload: bytes = b"", file: int | None = None) -> tuple[Answer, bytes]:
        errand = StoreErrand.model_validate({"call": call, "uris": [uri]})
        return self.broker.carry_out(errand, Received(b"", payload, file))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def opened(path: Path, content: bytes, flags: int = os.O_RDONLY) -> int:
    path.write_bytes(content)
    return os.open(path, flags)


def test_a_blob_is_linked_and_the_link_is_gone_after_the_run(desk: Desk) -> None:
    desk.blobs.put_named(UPLOAD, CONTENT, "application/pdf")
    answer, _ = desk.ask("link", UPLOAD)
    source = desk.blobs.local_path(UPLOAD)
    assert source is not None
    assert Path(answer.text).samefile(source)
    desk.broker.clear()
    assert list(desk.inputs.iterdir()) == []
    assert desk.blobs.get(UPLOAD) == CONTENT


def test_a_blob_on_another_disk_is_copied(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    desk.blobs.put_named(UPLOAD, CONTENT, "application/pdf")
    monkeypatch.setattr(os, "link", refuse)
    answer, _ = desk.ask("link", UPLOAD)
    assert Path(answer.text).read_bytes() == CONTENT


def test_a_missing_blob_and_a_folder_are_missing(desk: Desk) -> None:
    desk.blobs.put_named(UPLOAD, CONTENT, "application/pdf")
    assert desk.ask("link", "uploads/acme/file-2/a.pdf")[0].problem == "missing"
    assert desk.ask("link", "uploads/acme/file-1")[0].problem == "missing"
    assert not desk.broker.store_failed


def test_a_file_is_stored_by_its_descriptor(desk: Desk, tmp_path: Path) -> None:
    answer, _ = desk.ask("put_file", "job-1/run-1/a.pdf", file=opened(tmp_path / "a", CONTENT))
    assert answer.claim is not None
    assert answer.claim.sha256 == SHA
    assert desk.grant.written == {answer.claim.uri: answer.claim}


def test_a_blob_is_written_with_the_rights_of_the_descriptor_alone(desk: Desk, tmp_path: Path) -> None:
    desk.blobs.put_named(UPLOAD, CONTENT, "application/pdf")
    answer, _ = desk.ask("fetch", UPLOAD, file=opened(tmp_path / "target", b"", os.O_WRONLY))
    assert answer.problem is None
    assert (tmp_path / "target").read_bytes() == CONTENT
    assert desk.ask("fetch", UPLOAD, file=opened(tmp_path / "other", b"as it was"))[0].problem == "file"
    assert (tmp_path / "other").read_bytes() == b"as it was"


@pytest.mark.parametrize("call", ["put_file", "fetch"])
def test_an_errand_without_a_regular_file_is_refused(desk: Desk, call: str) -> None:
    desk.blobs.put_named(UPLOAD, CONTENT, "application/pdf")
    uri = UPLOAD if call == "fetch" else "job-1/run-1/a.pdf"
    assert desk.ask(call, uri)[0].problem == "refused"
    reading, writing = os.pipe()
    assert desk.ask(call, uri, file=reading)[0].problem == "refused"
    os.close(writing)


def test_the_content_of_a_document_has_the_hash_of_its_name(desk: Desk, tmp_path: Path) -> None:
    uri = f"documents/doc-1/{SHA}"
    assert desk.ask("put_file", uri, file=opened(tmp_path / "other", b"other"))[0].problem == "refused"
    assert list(desk.blobs.list("documents")) == []
    assert desk.ask("put_file", uri, file=opened(tmp_path / "a", CONTENT))[0].problem is None
    assert desk.ask("put_file", uri, file=opened(tmp_path / "other", b"other"))[0].problem == "refused"
    assert desk.blobs.get(uri) == CONTENT


def test_a_document_is_not_read_by_a_claim_to_have_written_its_content(desk: Desk) -> None:
    uri = f"documents/doc-1/{SHA}"
    desk.blobs.put_named(uri, CONTENT, "application/pdf")
    assert desk.ask("put", uri, b"other")[0].problem == "refused"
    assert desk.ask("get", uri)[0].problem == "refused"
    assert desk.ask("put", f"documents/doc-2/{SHA}", b"other")[0].problem == "refused"
    assert list(desk.blobs.list("documents/doc-2")) == []
    assert desk.ask("put", uri, CONTENT)[0].problem is None


def test_a_store_that_fails_is_remembered(desk: Desk) -> None:
    (desk.blobs.root or Path()).joinpath("job-1").symlink_to("job-1")
    assert desk.ask("put", "job-1/run-1/a.txt", b"x")[0].problem == "store"
    assert desk.broker.store_failed


def test_a_file_that_cannot_be_read_is_no_fault_of_the_store(desk: Desk) -> None:
    """A run whose errand fails for a fault of the installation is not charged, so no run may cause one."""
    desk.blobs.put_named(UPLOAD, CONTENT, "application/pdf")
    memory = os.open("/proc/self/mem", os.O_RDONLY)  # a regular file that cannot be read at its beginning
    sealed = os.memfd_create("sealed", os.MFD_ALLOW_SEALING)
    fcntl.fcntl(sealed, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
    for call, uri, file, number in (
        ("put_file", "job-1/run-1/a.pdf", memory, errno.EIO),
        ("put_file", f"documents/doc-1/{SHA}", os.open("/proc/self/mem", os.O_RDONLY), errno.EIO),
        ("fetch", UPLOAD, sealed, errno.EPERM),
    ):
        answer, _ = desk.ask(call, uri, file=file)
        assert (answer.problem, answer.number) == ("file", number)
        with pytest.raises(OSError, match="the file of an errand") as raised:
            answer_of(Received(answer.model_dump_json().encode(), b""))
        assert raised.value.errno == number
    assert not desk.broker.store_failed


def test_a_disk_that_is_full_is_remembered_and_another_file_system_is_not(desk: Desk, tmp_path: Path) -> None:
    for device, remembered in ((0, False), (tmp_path.stat().st_dev, True)):
        error = ErrandFileError(OSError(errno.ENOSPC, "full"), device)
        assert desk.broker.problem_of(error).number == errno.ENOSPC
        assert desk.broker.store_failed is remembered


@pytest.mark.parametrize("call", ["get", "size", "link", "put"])
def test_a_blob_below_another_one_is_no_fault_of_the_store(desk: Desk, call: str) -> None:
    desk.ask("put", "job-1/run-1/a", b"x")
    answer, _ = desk.ask(call, "job-1/run-1/a/b", b"x")
    assert answer.problem == "unreadable"
    assert not desk.broker.store_failed
