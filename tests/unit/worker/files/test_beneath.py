"""Files and folders are opened below their root alone, and nothing else than a file or a folder is."""

import os
import socket
from pathlib import Path

import pytest

from services.worker.files.beneath import open_file, open_folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "deep" / "a.txt").write_text("of the root")
    (tmp_path / "secret.txt").write_text("of somebody else")
    return tmp_path / "in"


def test_a_file_and_a_folder_below_the_root_are_opened(root: Path) -> None:
    with open_file(root / "deep" / "a.txt", root) as file:
        assert file.read() == b"of the root"
    for folder in (root, root / "deep"):
        handle = open_folder(folder, root)
        assert os.listdir(handle) == os.listdir(folder)  # noqa: PTH208 - by its descriptor
        os.close(handle)


@pytest.mark.parametrize("swapped", ["deep", "deep/a.txt"])
def test_what_became_a_link_is_not_followed(root: Path, tmp_path: Path, swapped: str) -> None:
    (tmp_path / "a.txt").write_text("of somebody else")
    (root / swapped).rename(tmp_path / "away")
    (root / swapped).symlink_to(tmp_path if swapped == "deep" else tmp_path / "a.txt")
    with pytest.raises(OSError, match=r"deep|kind|directory"):
        open_file(root / "deep" / "a.txt", root)
    with pytest.raises(OSError, match=r"deep|kind|directory"):
        open_folder(root / swapped, root)


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder", "device"])
def test_what_is_no_regular_file_is_not_opened(root: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / kind
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        monkeypatch.chdir(root)  # the path of a socket must be short
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(kind)
    elif kind == "folder":
        path.mkdir()
    else:
        path, root = Path("/dev/null"), Path("/dev")
    opened: list[object] = []
    really = os.open

    def recording(target: object, flags: int, *more: object, **others: object) -> int:
        if not flags & os.O_PATH:
            opened.append(target)
        return really(target, flags, *more, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", recording)
    with pytest.raises(OSError, match="another kind"):
        open_file(path, root)
    assert opened == [], "to open a device or a pipe may act or wait"


def test_no_descriptor_is_left_open(root: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for path in (root / "none", root / "deep" / "none" / "a", root / "deep"):
        with pytest.raises(OSError, match=r"none|kind"):
            open_file(path, root)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
