"""The folders that jobs may read are apart from Piperoll's data, by whatever name."""

from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from piperoll.installation import file_roots
from piperoll.installation.file_roots import Mount, contains, overlap, parsed_mounts, refusal_of_roots
from piperoll.settings import Settings

WHOLE_DISK = Mount("8:1", PurePosixPath("/"), PurePosixPath("/"))


def refusal(tmp_path: Path, root: Path, data: Path, **given: Any) -> str | None:
    chosen = {"files_roots": str(root), "blob_url": (data / "blobs").as_uri(), "work_dir": str(tmp_path / "work")}
    return refusal_of_roots(Settings(**{**chosen, **given}), data)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("blobs", "private"):
        (tmp_path / "data" / name).mkdir(parents=True)
    return tmp_path / "data"


@pytest.mark.parametrize("root", [".", "data", "data/private", "data/blobs", "data/blobs/job-1", "data/../data"])
def test_a_root_above_below_or_at_the_data_folder_is_refused(tmp_path: Path, data: Path, root: str) -> None:
    found = refusal(tmp_path, tmp_path / root, data)
    assert found is not None
    assert "PIPEROLL_FILES_ROOTS" in found
    assert "overlaps" in found


def test_a_root_beside_the_data_folder_is_allowed_also_if_its_name_begins_alike(tmp_path: Path, data: Path) -> None:
    for name in ("in", "data-in", "dat"):
        (tmp_path / name).mkdir()
        assert refusal(tmp_path, tmp_path / name, data) is None


def test_a_root_that_is_a_link_to_the_data_is_refused(tmp_path: Path, data: Path) -> None:
    (tmp_path / "in").symlink_to(data / "private")
    assert refusal(tmp_path, tmp_path / "in", data) is not None


def test_a_part_of_the_data_that_is_a_link_into_a_root_is_refused(tmp_path: Path, data: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (data / "kafka").symlink_to(tmp_path / "in" / "deep")
    found = refusal(tmp_path, tmp_path / "in", data)
    assert found is not None
    assert str(data / "kafka") in found


def test_any_of_several_roots_is_refused(tmp_path: Path, data: Path) -> None:
    assert refusal(tmp_path, tmp_path, data, files_roots=f"{tmp_path}/in:{data}/private") is not None


@pytest.mark.parametrize("root", ["/", "/proc", "/proc/self", "/sys"])
def test_a_root_that_shows_the_processes_of_the_machine_is_refused(tmp_path: Path, root: str) -> None:
    assert refusal_of_roots(Settings(files_roots=root, blob_url="s3://bucket")) is not None


@pytest.mark.parametrize("work_dir", ["in/work", "in"])
def test_a_root_in_which_runs_keep_their_files_is_refused(tmp_path: Path, data: Path, work_dir: str) -> None:
    found = refusal(tmp_path, tmp_path / "in", data, work_dir=str(tmp_path / work_dir))
    assert found is not None
    assert "PIPEROLL_WORK_DIR" in found


def test_a_root_below_the_folder_for_temporary_files_is_allowed(tmp_path: Path, data: Path) -> None:
    (tmp_path / "tmp" / "in").mkdir(parents=True)
    assert refusal(tmp_path, tmp_path / "tmp" / "in", data, work_dir=str(tmp_path / "tmp")) is None


def test_without_roots_nothing_is_refused(tmp_path: Path, data: Path) -> None:
    assert refusal(tmp_path, tmp_path, data, files_roots="") is None


def test_a_folder_that_a_mount_shows_elsewhere_is_the_same_folder() -> None:
    again = Mount("8:1", PurePosixPath("/var/data"), PurePosixPath("/srv/in/again"))
    mounts = [WHOLE_DISK, again]
    for root in ("/srv/in/again", "/srv/in/again/private", "/srv/in", "/srv"):
        assert overlap(Path(root), Path("/var/data"), mounts), root
    assert not overlap(Path("/srv/in/other"), Path("/var/data"), mounts)
    assert not contains(Path("/srv/in/again/private"), Path("/var/data"), mounts)


def test_another_file_system_at_a_place_hides_what_was_there() -> None:
    other = Mount("8:2", PurePosixPath("/"), PurePosixPath("/srv/in"))
    assert not overlap(Path("/srv/in"), Path("/var/data"), [WHOLE_DISK, other])
    assert not overlap(Path("/srv/in/var/data"), Path("/var/data"), [WHOLE_DISK, other])


def test_the_table_of_mounts_is_read_as_the_kernel_writes_it() -> None:
    lines = (
        r"36 35 98:0 /mnt1\040a /mnt2\134b rw,noatime master:1 - ext3 /dev/root rw",
        "37 35 0:4 net:[4026532281] /run/netns/a rw shared:2 - nsfs nsfs rw",
    )
    assert list(parsed_mounts("\n".join(lines))) == [Mount("98:0", PurePosixPath("/mnt1 a"), PurePosixPath("/mnt2\\b"))]


def test_without_a_table_of_mounts_the_paths_are_compared(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_roots, "MOUNTS", tmp_path / "none")
    assert refusal(tmp_path, tmp_path, data) is not None
    assert refusal(tmp_path, tmp_path / "in", data) is None
