"""What a hostile run leaves in its folder does not keep the folder there, nor the next worker from its start."""

import os
from pathlib import Path

import pytest

from services.worker.children.scratch import LOCK, PREFIX, ScratchFolder
from services.worker.children.tree_removal import remove_tree

LEVELS = 1200  # of folders in one another: more than the recursion limit, and a longer path than the system takes


def dig(folder: Path, levels: int = LEVELS) -> None:
    """Make folders in one another, with a file in the last one."""
    folder.mkdir(parents=True)
    handle = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("deeper", dir_fd=handle)
        deeper = os.open("deeper", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = deeper
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=handle))
    os.close(handle)


def test_folders_of_any_depth_are_removed_with_their_child(tmp_path: Path) -> None:
    scratch = ScratchFolder(str(tmp_path))
    dig(scratch.path / "child-7" / "closed" / "run")
    scratch.clear(7)
    assert not (scratch.path / "child-7").exists()
    dig(scratch.path / "child-8")
    scratch.close()
    assert list(tmp_path.iterdir()) == []


def test_a_worker_starts_over_what_a_killed_one_left(tmp_path: Path) -> None:
    left = tmp_path / f"{PREFIX}left"
    dig(left / "child-7")
    (left / LOCK).touch()
    odd = tmp_path / f"{PREFIX}odd"
    (odd / LOCK).mkdir(parents=True)
    scratch = ScratchFolder(str(tmp_path))
    assert set(tmp_path.iterdir()) == {odd, scratch.path}
    scratch.close()


def test_folders_that_are_closed_to_their_owner_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a relative path needs no right to the folders above
    user = os.geteuid()
    inner = tmp_path / "run" / "closed" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch()
    for folder in (inner, inner.parent):
        folder.chmod(0)
    if user == 0:  # for whom no folder is closed
        for path in (tmp_path, tmp_path / "run", inner.parent, inner):
            os.chown(path, 65534, 65534)
        os.seteuid(65534)
    try:
        remove_tree(Path("run"))
    finally:
        os.seteuid(user)
    assert not (tmp_path / "run").exists()


def test_a_link_is_removed_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    inside = tmp_path / "run" / "deep"
    inside.mkdir(parents=True)
    (inside / "link").symlink_to(kept)
    (tmp_path / "run" / "link").symlink_to(kept)
    remove_tree(tmp_path / "run")
    assert not (tmp_path / "run").exists()
    assert (kept / "file").exists()
    remove_tree(tmp_path / "missing")
