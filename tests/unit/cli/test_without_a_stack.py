"""Commands where nothing runs: each ends with status 2 and the same sentence, which states what to do."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer.main
from aiokafka.errors import KafkaConnectionError
from asyncpg import InvalidPasswordError
from typer.testing import CliRunner

from piperoll.cli.console import COULD_NOT_RUN, CommandError, CouldNotRunError, failure_of
from piperoll.cli.main import app
from piperoll.store.blobs import BlobStoreError

ARGUMENTS = {
    "submit": ["a.pdf"],
    "estimate": ["a.pdf"],
    "watch": ["job-1"],
    **{name: ["job-1"] for name in ("show", "logs", "download", "cancel", "restart", "erase", "events", "deliveries")},
    "search": ["pump"],
    "redeliver": ["--origin", "https://example.com", "--since", "2026-01-31T10:00:00Z"],
    "keys create": ["--owner", "acme"],
    "keys revoke": ["abc"],
    "dead-letters show": ["jobs/3:120"],
    "dead-letters redrive": ["jobs/3:120"],
    "dead-letters skip": ["jobs/3:120"],
}
NEED_NONE = {"up", "demo", "doctor", "seal draw", "topics acl"}


def commands() -> list[str]:
    """The names of all commands that take the folder of a stack."""
    found = []

    def walk(command: Any, name: str) -> None:
        for child, inner in getattr(command, "commands", {}).items():
            walk(inner, f"{name} {child}".strip())
        if any(one.name == "data_dir" for one in command.params):
            found.append(name)

    walk(typer.main.get_command(app), "")
    return found


@pytest.fixture(autouse=True)
def _nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("PIPEROLL_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.pdf").write_bytes(b"%PDF-")
    configured, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    yield
    structlog.configure(**configured)
    logging.getLogger().handlers[:] = handlers


@pytest.mark.parametrize("command", sorted(set(commands()) - NEED_NONE))
def test_a_command_that_needs_a_stack_states_that_none_runs(command: str) -> None:
    ended = CliRunner().invoke(app, [*command.split(), *ARGUMENTS.get(command, [])])

    assert ended.exit_code == COULD_NOT_RUN
    assert "no stack runs in `data`, and no PIPEROLL_* variable names one: start one with `piperoll up`" in ended.stderr
    assert "--data-dir" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize("command", sorted(set(commands()) - NEED_NONE))
def test_a_folder_in_which_none_runs_is_named(command: str) -> None:
    ended = CliRunner().invoke(app, [*command.split(), *ARGUMENTS.get(command, []), "--data-dir", "other"])

    assert ended.exit_code == COULD_NOT_RUN
    assert "no stack runs in other: start one with `piperoll up --data-dir other`" in ended.stderr


@pytest.mark.parametrize("command", sorted(set(commands()) - {"up", "demo"}))
def test_the_help_of_a_command_states_its_exit_status(command: str) -> None:
    ended = CliRunner().invoke(app, [*command.split(), "--help"])

    assert "exit status" in " ".join(ended.stdout.split()).lower()


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [(["jobs", "--profile", "a", "--data-dir", "b"], {}), (["jobs"], {"PIPEROLL_URL": "http://127.0.0.1:1"})],
    ids=["two servers", "no key"],
)
def test_wrong_arguments_end_with_their_status(
    arguments: list[str], variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert CliRunner().invoke(app, arguments).exit_code == COULD_NOT_RUN


def test_every_command_that_takes_a_folder_is_examined() -> None:
    assert set(commands()) > NEED_NONE
    assert {"verify", "sweep", "dead-letters list", "topics check", "submit", "adopt"} <= set(commands()) - NEED_NONE


def test_the_rights_in_kafka_are_printed_without_a_stack() -> None:
    ended = CliRunner().invoke(app, ["topics", "acl"])

    assert ended.exit_code == 0
    assert "kafka-acls.sh" in ended.stdout


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (KafkaConnectionError("Unable to bootstrap from [('127.0.0.1', 9092)]"), "Kafka does not answer"),
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 5432)"), "a store does not answer"),
        (TimeoutError(), "a store does not answer"),
    ],
)
def test_a_store_that_does_not_answer_is_one_sentence_that_names_the_doctor(error: Exception, sentence: str) -> None:
    shown, code = failure_of(error, 1)

    assert code == COULD_NOT_RUN
    assert sentence in shown
    assert "`piperoll doctor`" in shown
    assert not any(raw in shown for raw in ("Errno", "bootstrap", "Connect call", "Error"))


def test_a_store_that_refuses_keeps_its_reason() -> None:
    assert failure_of(InvalidPasswordError("password authentication failed"), 1)[0].startswith(
        "password authentication failed"
    )
    assert failure_of(BlobStoreError("the bucket a is not there"), 1) == ("the bucket a is not there", COULD_NOT_RUN)


def test_what_could_not_run_has_a_status_of_its_own() -> None:
    assert failure_of(CommandError("violated"), 1) == ("violated", 1)
    assert failure_of(CouldNotRunError("nothing runs"), 1) == ("nothing runs", COULD_NOT_RUN)
