"""What a stack keeps in its data folder: ports, secrets and settings."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from piperoll.embedded.account import pack_acl, unpack_acl, with_execute
from piperoll.embedded.environment import Addresses, service_environment, shared_settings
from piperoll.embedded.errors import StackError
from piperoll.embedded.ports import PortBook, is_free
from piperoll.embedded.private import Secrets, load_secrets
from piperoll.embedded.stack import Stack


def test_a_port_is_remembered_until_another_program_takes_it(tmp_path: Path) -> None:
    port = PortBook(tmp_path).assign("api")
    assert PortBook(tmp_path).assign("api") == port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert not is_free(port)
        assert PortBook(tmp_path).assign("api") != port


def test_api_keys_that_are_given_replace_those_of_the_folder(tmp_path: Path) -> None:
    drawn = load_secrets(tmp_path).api_keys
    assert len(drawn) == 1
    assert load_secrets(tmp_path).api_keys == drawn
    assert load_secrets(tmp_path, ["a.1"]).api_keys == ("a.1",)
    assert load_secrets(tmp_path).api_keys == ("a.1",)
    assert load_secrets(tmp_path, ["b.2", "c.3", "b.2"]).api_keys == ("b.2", "c.3")
    assert load_secrets(tmp_path) == load_secrets(tmp_path)


def test_an_older_folder_gets_a_password_of_kafka_and_keeps_its_other_secrets(tmp_path: Path) -> None:
    drawn = load_secrets(tmp_path)
    path = tmp_path / "private" / "secrets.json"
    older = json.loads(path.read_text())
    del older["kafka_password"]
    path.write_text(json.dumps(older))
    found = load_secrets(tmp_path)
    assert found.kafka_password
    assert replace(found, kafka_password=drawn.kafka_password) == drawn
    assert load_secrets(tmp_path) == found, "it is drawn once"
    assert path.stat().st_mode & 0o777 == 0o600


def test_damaged_secrets_are_refused_and_kept(tmp_path: Path) -> None:
    load_secrets(tmp_path)
    (tmp_path / "private" / "secrets.json").write_text("{}")
    with pytest.raises(StackError, match="damaged"):
        load_secrets(tmp_path)
    assert (tmp_path / "private" / "secrets.json").read_text() == "{}"


def test_the_stacks_settings_go_before_inherited_ones_except_those_the_user_may_choose(tmp_path: Path) -> None:
    inherited = {
        "PIPEROLL_POSTGRES_DSN": "postgresql://elsewhere/production",
        "PIPEROLL_INSTANCE": "leaked",
        "PIPEROLL_LOG_LEVEL": "debug",
        "PIPEROLL_FILES_ROOTS": "/srv/documents",
        "MISTRAL_API_KEY": "m",
    }
    addresses = Addresses({"PIPEROLL_KAFKA_BOOTSTRAP": "127.0.0.1:1"}, "postgresql://here", 2, tmp_path)
    secrets = Secrets("p", "k1:s", "f", ("a", "b"), "q")
    shared = shared_settings(inherited, addresses, secrets, 6, {"PIPEROLL_SLOTS": "3"})
    env = service_environment(inherited, shared, "worker", 0, 4)
    assert shared["PIPEROLL_POSTGRES_DSN"] == "postgresql://here"
    assert env["PIPEROLL_INSTANCE"] == "worker-0"
    assert env["PIPEROLL_LOG_LEVEL"] == "debug"
    assert env["PIPEROLL_FILES_ROOTS"] == "/srv/documents"
    assert env["MISTRAL_API_KEY"] == "m"
    assert env["PIPEROLL_SLOTS"] == "3"
    assert service_environment(inherited, shared, "api", 0, 0)["PIPEROLL_BOOTSTRAP_KEYS"] == "a,b"


def test_letting_an_account_pass_opens_a_folder_for_execute_and_for_that_account_alone() -> None:
    private = [(0x01, 7, 0xFFFFFFFF), (0x04, 0, 0xFFFFFFFF), (0x20, 0, 0xFFFFFFFF)]
    once = with_execute(private, 999)
    assert once == [
        (0x01, 7, 0xFFFFFFFF), (0x02, 1, 999), (0x04, 0, 0xFFFFFFFF), (0x10, 1, 0xFFFFFFFF), (0x20, 0, 0xFFFFFFFF),
    ]  # fmt: skip
    assert with_execute(once, 999) == once
    assert unpack_acl(pack_acl(once)) == once


@pytest.mark.parametrize("root", [".", "data", "data/private", "data/kafka/logs", "link"])
async def test_a_stack_whose_data_jobs_could_read_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "data" / "private")
    monkeypatch.setenv("PIPEROLL_FILES_ROOTS", str(tmp_path / root))
    stack = Stack(tmp_path / "data")
    with pytest.raises(StackError, match=r"PIPEROLL_FILES_ROOTS.* overlaps with Piperoll's data"):
        await stack.start()
    assert not list((tmp_path / "data" / "kafka").iterdir())
    assert not (tmp_path / "data" / "private").exists()


@pytest.mark.parametrize("service", ["api", "worker"])
def test_a_service_whose_blobs_jobs_could_read_does_not_start(tmp_path: Path, service: str) -> None:
    given = {"PIPEROLL_FILES_ROOTS": str(tmp_path), "PIPEROLL_BLOB_URL": (tmp_path / "blobs").as_uri()}
    argv = [sys.executable, "-m", "piperoll", service]
    done = subprocess.run(argv, env={**os.environ, **given}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"piperoll {service}: PIPEROLL_FILES_ROOTS: {tmp_path} overlaps" in done.stderr
