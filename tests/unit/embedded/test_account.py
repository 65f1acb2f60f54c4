"""The account of Postgres under root. `useradd` is a program of the test, so that no account is added."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from piperoll.embedded import account
from piperoll.embedded.errors import StackError

STACKS = 4
USERADD = """#!/bin/sh
mkdir "$HERE/adding" || echo beside >> "$HERE/beside"
sleep 0.1
rmdir "$HERE/adding"
echo "$HERE" is full >&2
"""


def test_stacks_that_start_at_once_add_the_account_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "useradd"
    program.write_text(USERADD)
    program.chmod(0o755)
    monkeypatch.setenv("HERE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(account, "NAME", "piperoll-absent")
    monkeypatch.setattr(account, "LOCK", tmp_path / "lock")

    def complaint(_: int) -> str:
        with pytest.raises(StackError) as error:
            account.postgres_account()
        return str(error.value)

    with ThreadPoolExecutor(STACKS) as stacks:
        complaints = list(stacks.map(complaint, range(STACKS)))
    assert all(f"{tmp_path} is full" in one for one in complaints)
    assert not (tmp_path / "beside").exists()
