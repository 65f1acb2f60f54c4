"""The API keys that `piperoll up` is given, and what it warns of."""

import io
import sys
from pathlib import Path

import pytest

from piperoll.embedded.errors import StackError
from piperoll.embedded.given_keys import given_keys, warnings

LONG, OTHER = "a" * 32, "b" * 40


def test_keys_are_those_of_options_and_file_else_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    file.write_text(f"{OTHER}\n")
    monkeypatch.setenv("PIPEROLL_API_KEY", "e" * 32)
    assert given_keys([LONG], None) == (LONG,)
    assert given_keys([], file) == (OTHER,)
    assert given_keys([LONG], file) == (LONG, OTHER)
    assert given_keys([], None) == ("e" * 32,)
    monkeypatch.delenv("PIPEROLL_API_KEY")
    assert given_keys([], None) == ()


def test_a_key_comes_by_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{LONG}\n"))
    assert given_keys([], Path("-")) == (LONG,)


def test_a_short_key_and_one_in_the_list_of_processes_are_accepted_with_a_warning() -> None:
    assert given_keys(["short-key"], None) == ("short-key",)
    in_list, short = warnings(["short-key"], ["short-key"])
    assert "list of processes" in in_list
    assert "9 characters" in short
    assert "short-key" not in in_list + short
    assert warnings([LONG], []) == []


@pytest.mark.parametrize("key", ["", "two words", "a,b", "sch\u00f6n", "line\nbreak"])
def test_a_key_that_no_request_or_setting_can_contain_is_refused(key: str) -> None:
    with pytest.raises(StackError, match="printable"):
        given_keys([key], None)


def test_a_file_without_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="cannot be read"):
        given_keys([], tmp_path / "none")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(StackError, match="holds no API key"):
        given_keys([], tmp_path / "empty")
