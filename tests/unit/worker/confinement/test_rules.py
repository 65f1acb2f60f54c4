"""Which rights each version of Landlock has, whose account a process may get, and what of Python can be read."""

import sys
from pathlib import Path

import pytest

from services.worker.confinement import account, landlock, libraries
from services.worker.confinement.confine import Measure, missing
from tests.support.repository import ROOT

ALL = 0x1FFFFFFFFFF
OF_A_CONTAINER = 0xA80425FB
"""What Docker leaves root by default."""


@pytest.mark.parametrize(("abi", "rights"), [(1, 13), (2, 14), (3, 15), (4, 15), (5, 16), (7, 16)])
def test_a_version_of_landlock_is_asked_for_the_rights_that_it_knows(abi: int, rights: int) -> None:
    assert landlock.file_rights(abi) == (1 << rights) - 1


def test_a_folder_that_the_account_does_not_reach_is_left_out_of_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """PATH may name one, such as root's own; without the rules a sandbox would read everything else."""

    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr("os.open", refuse)
    object.__new__(landlock.Ruleset).allow([Path("/root/bin")], landlock.READ)


@pytest.mark.parametrize(
    ("ranges", "mapped"),
    [
        ("         0          0 4294967295\n", True),
        ("         0     100000      65536\n", False),
        ("", False),
        (f"0 0 1\n{account.FIRST_ID} 1 10\n", True),
    ],
)
def test_a_user_namespace_may_lack_the_accounts(ranges: str, mapped: bool) -> None:
    assert account.is_mapped(account.FIRST_ID, ranges) is mapped


def test_an_account_needs_root_and_what_it_has_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(account, "UID_MAP", tmp_path / "missing")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(account, "STATUS", status_with(tmp_path, ALL))
    assert account.refusal(reads_all=False, needed=[closed]) == f"other accounts cannot read {closed}"
    assert account.refusal(reads_all=True, needed=[closed]) is None
    monkeypatch.setattr(account, "STATUS", status_with(tmp_path, OF_A_CONTAINER & ~(1 << 7)))
    assert account.refusal(reads_all=True, needed=[]) == "the worker lacks CAP_SETUID"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert account.refusal(reads_all=True, needed=[]) == "the worker is not root"


def test_a_container_may_lack_the_capability_to_read_all_files(tmp_path: Path) -> None:
    assert account.can_read_all(status_with(tmp_path, ALL).read_text())
    assert not account.can_read_all(status_with(tmp_path, OF_A_CONTAINER).read_text())
    assert account.lacking(status_with(tmp_path, OF_A_CONTAINER).read_text()) == []


def status_with(folder: Path, capabilities: int) -> Path:
    """A /proc/self/status."""
    path = folder / "status"
    path.write_text(f"Name:\tpython\nCapPrm:\t{capabilities:016x}\n")
    return path


def test_of_a_repository_only_the_packages_in_use_are_readable() -> None:
    readable = libraries.readable()
    assert ROOT / "services" in readable
    assert ROOT not in readable
    assert not any(ROOT.is_relative_to(path) for path in readable)
    assert any(Path(sys.executable).resolve().is_relative_to(path.resolve()) for path in readable)


def test_measures_that_do_not_hold_are_named_with_their_reason() -> None:
    measures = [Measure("files", False, "no Landlock"), Measure("signals", False, "old", essential=False)]
    assert missing(measures) == ["files: no Landlock"]
