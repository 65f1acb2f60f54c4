"""Paths that a `pdf` job names: what is allowed, and files that are still being written."""

import os
import time
from dataclasses import replace

import pytest

from piperoll.store.blobs import Blobs
from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.files import sources
from tests.support.runs.local_pdf import make_pdf, refused, run


def test_backslashes_in_a_path_are_slashes(workspace, tmp_path):
    path = make_pdf(tmp_path / "in" / "a.pdf")
    result, _ = run(workspace, str(path).replace("/", "\\"))
    assert result.pages == 3


def test_a_link_inside_the_roots_is_followed(workspace, tmp_path):
    make_pdf(tmp_path / "in" / "a.pdf")
    (tmp_path / "in" / "link.pdf").symlink_to("a.pdf")
    assert run(workspace, tmp_path / "in" / "link.pdf")[0].pages == 3


@pytest.mark.parametrize("how", ["outside", "dots", "relative", "link", "link to nothing", "linked folder"])
def test_a_file_outside_the_roots_is_not_allowed(workspace, tmp_path, how):
    outside = make_pdf(tmp_path / "secret.pdf")
    link, folder = tmp_path / "in" / "link.pdf", tmp_path / "in" / "folder"
    link.symlink_to(outside if how == "link" else tmp_path / "gone.pdf")
    folder.symlink_to(tmp_path)
    named = {
        "outside": outside,
        "dots": f"{tmp_path}/in/../secret.pdf",
        "relative": "in/a.pdf",
        "link": link,
        "link to nothing": link,
        "linked folder": folder / "secret.pdf",
    }[how]
    error = refused(workspace, named)
    assert error.code is ErrorCode.FILE_NOT_ALLOWED
    assert "PIPEROLL_FILES_ROOTS" in error.message


def test_a_folder_swapped_for_a_link_after_the_check_is_noticed(workspace, tmp_path):
    make_pdf(tmp_path / "secret.pdf")
    (tmp_path / "in" / "folder").symlink_to(tmp_path)
    checked = tmp_path / "in" / "folder" / "secret.pdf"  # as a path that was resolved before the swap would be
    with pytest.raises(ProcessingError) as caught:
        sources._open_settled(checked, tmp_path / "in", b"%%EOF")
    assert caught.value.code is ErrorCode.FILE_NOT_FOUND


def test_the_blob_store_below_a_root_is_not_read_as_files(workspace, tmp_path):
    (tmp_path / "in" / "store" / "job-1").mkdir(parents=True)
    path = make_pdf(tmp_path / "in" / "store" / "job-1" / "a.pdf")
    stored = replace(workspace, blobs=Blobs((tmp_path / "in" / "store").as_uri()))
    assert refused(stored, path).code is ErrorCode.FILE_NOT_ALLOWED


class SettlingClock:
    """A clock that only sleeping moves on, and what happens meanwhile: `act`, once `after` seconds were slept."""

    def __init__(self, after=float("inf"), act=None):
        self.slept = 0.0
        self._began = time.time()
        self._after = after
        self._act = act

    def monotonic(self):
        return self.slept

    def time(self):
        return self._began + self.slept

    def sleep(self, seconds):
        before, self.slept = self.slept, self.slept + seconds
        if before < self._after <= self.slept:
            self._act()


@pytest.mark.parametrize("how", ["missing", "folder", "pipe", "circle", "too long", "below a file"])
def test_what_cannot_be_read_is_not_found(workspace, tmp_path, monkeypatch, how):
    path = tmp_path / "in" / how
    if how == "folder":
        path.mkdir()
    elif how == "pipe":
        os.mkfifo(path)
    elif how == "circle":
        path.symlink_to(path)
    elif how == "too long":
        path = tmp_path / "in" / ("x" * 300)
    elif how == "below a file":
        path = make_pdf(tmp_path / "in" / "a.pdf") / "b.pdf"
    clock = SettlingClock()
    monkeypatch.setattr(sources, "time", clock)
    assert refused(workspace, path).code is ErrorCode.FILE_NOT_FOUND
    assert clock.slept <= sources.SETTLE_S + sources.SETTLE_STEP_S


@pytest.mark.parametrize("already", [0.0, 0.5], ids=["not there yet", "half there"])
def test_a_file_that_is_still_being_written_is_waited_for(workspace, tmp_path, monkeypatch, already):
    whole = make_pdf(tmp_path / "whole.pdf").read_bytes()
    path = tmp_path / "in" / "a.pdf"
    if already:
        path.write_bytes(whole[: int(len(whole) * already)])
    clock = SettlingClock(sources.SETTLE_S / 4, lambda: path.write_bytes(whole))
    monkeypatch.setattr(sources, "time", clock)
    result, _ = run(workspace, path)
    assert clock.slept >= sources.SETTLE_S / 4
    assert result.pages == 3
    assert result.structured_data["metadata"]["warnings"] == []
