"""How commands find what they are about: a stack by its folder, or the environment."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from piperoll.cli.console import CommandError
from piperoll.cli.target import api_access_of, settings_of

GONE = 2**22 + 1  # beyond the largest process id of Linux


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("PIPEROLL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def write_stack(folder: Path, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    env = {"PIPEROLL_KAFKA_BOOTSTRAP": "127.0.0.1:7777", "PIPEROLL_BOOTSTRAP_KEYS": "old,new"}
    content = {"api_url": "http://127.0.0.1:7001", "env": env, "supervisor": os.getpid(), **changes}
    (folder / "stack.json").write_text(json.dumps(content))
    return folder


def test_a_running_stack_is_found_by_its_folder(tmp_path: Path) -> None:
    folder = write_stack(tmp_path / "stack")

    endpoint = api_access_of(folder)

    assert (endpoint.url, endpoint.key) == ("http://127.0.0.1:7001", "new")
    assert settings_of(folder).kafka_bootstrap == "127.0.0.1:7777"


def test_the_folder_data_is_taken_when_nothing_is_named(tmp_path: Path) -> None:
    write_stack(tmp_path / "data")

    assert api_access_of(None).key == "new"
    assert settings_of(None).kafka_bootstrap == "127.0.0.1:7777"


def test_the_environment_goes_before_the_folder_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_stack(tmp_path / "data")
    monkeypatch.setenv("PIPEROLL_API_KEY", "mine")
    monkeypatch.setenv("PIPEROLL_URL", "http://elsewhere:1/")
    monkeypatch.setenv("PIPEROLL_KAFKA_BOOTSTRAP", "elsewhere:9092")

    endpoint = api_access_of(None)

    assert (endpoint.url, endpoint.key) == ("http://elsewhere:1", "mine")
    assert settings_of(None).kafka_bootstrap == "elsewhere:9092"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"env": {}}, "still starting"),
        ({"supervisor": GONE}, "was killed"),
        ({"env": 3}, "is damaged"),
    ],
)
def test_a_stack_that_cannot_be_used_is_explained(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        api_access_of(write_stack(tmp_path / "stack", **changes))


def test_a_folder_without_a_stack_names_the_command_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="piperoll up --data-dir"):
        settings_of(tmp_path / "nowhere")


def test_a_missing_key_is_an_error_that_names_its_sources() -> None:
    with pytest.raises(CommandError, match="PIPEROLL_API_KEY"):
        api_access_of(None)
