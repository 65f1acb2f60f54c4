"""Profiles: servers and keys in a file of the user."""

import os
from pathlib import Path

import pytest

from piperoll.cli.console import CommandError
from piperoll.cli.target import api_access_of
from tests.unit.cli.test_target import write_stack

FILE = """
[default]
url = "http://first.example:5001/"
api_key = "key-1"

[work]
url = "https://second.example"
api_key = "key-2"
"""


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty home and folder, without variables."""
    for name in list(os.environ):
        if name.startswith("PIPEROLL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str = FILE, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def in_home(home: Path, text: str = FILE, mode: int = 0o600) -> Path:
    return write(home / ".config" / "piperoll" / "profiles.toml", text, mode)


def test_each_way_to_name_a_server_goes_before_the_next(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_home(home)
    assert api_access_of(None).url == "http://first.example:5001", "the profile default is the last"
    write_stack(home / "data")
    assert api_access_of(None).key == "new", "a stack in the folder data"
    monkeypatch.setenv("PIPEROLL_PROFILE", "work")
    assert api_access_of(None).key == "key-2"
    monkeypatch.setenv("PIPEROLL_URL", "http://third.example")
    with pytest.raises(CommandError, match="no API key"):
        api_access_of(None)  # and not with a key of another server
    monkeypatch.setenv("PIPEROLL_API_KEY", "key-3")
    assert api_access_of(None).key == "key-3"
    assert api_access_of(None, "work").key == "key-2", "the command line goes before all"
    assert api_access_of(home / "data").key == "new"
    with pytest.raises(CommandError, match="two servers"):
        api_access_of(home / "data", "work")


def test_another_file_can_be_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEROLL_CONFIG", str(write(home / "other.toml")))
    assert api_access_of(None, "work").key == "key-2"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused(home: Path, mode: int) -> None:
    path = in_home(home, mode=mode)
    with pytest.raises(CommandError, match=f"chmod 600 {path}"):
        api_access_of(None, "work")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (FILE, "has no profile nowhere: it has default, work"),
        ("", "it has none"),
        ("[nowhere]\nurl = 'x'\n", "api_key: Field required"),
        ("[nowhere]\nurl = 'x'\napi_key = 'k'\ncolour = 1\n", "colour: "),
        ("nowhere = 3\n", "a profile is a table with url and api_key"),
        ("[nowhere", "is not a TOML file"),
    ],
)
def test_a_wrong_file_is_explained(home: Path, text: str, sentence: str) -> None:
    in_home(home, text)
    with pytest.raises(CommandError) as refused:
        api_access_of(None, "nowhere")
    assert sentence in str(refused.value)


def test_a_key_in_a_wrong_profile_is_not_printed(home: Path) -> None:
    in_home(home, "[work]\napi_key = 's3cret'\nurl = ''\n")
    with pytest.raises(CommandError) as refused:
        api_access_of(None, "work")
    assert "s3cret" not in str(refused.value)


def test_a_missing_file_is_named(home: Path) -> None:
    with pytest.raises(CommandError, match=r"profiles\.toml: No such file"):
        api_access_of(None, "work")
