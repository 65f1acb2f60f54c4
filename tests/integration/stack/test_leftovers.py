"""Processes that a killed stack left: recognised and stopped, and strangers left alone."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from piperoll.embedded.orphans import find_running, stop_all
from piperoll.embedded.postgres import EmbeddedPostgres, stop_orphan
from tests.support.waiting import wait_until


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def noted(process: subprocess.Popen[bytes], **changed: object) -> dict[str, object]:
    known = psutil.Process(process.pid)
    return {"pid": known.pid, "created": known.create_time(), "argv": known.cmdline(), **changed}


def test_a_leftover_is_recognised_and_stopped(sleeper: subprocess.Popen[bytes]) -> None:
    messages: list[str] = []
    stop_all({"worker": noted(sleeper)}, messages.append)
    assert sleeper.wait(5) == -signal.SIGTERM
    assert messages == [f"stopping worker, left by an earlier run (process {sleeper.pid})"]


@pytest.mark.parametrize("changed", [{"created": 1.0}, {"argv": ["java", "kafka.Kafka"]}])
def test_a_stranger_who_got_a_leftovers_process_id_is_left_alone(
    sleeper: subprocess.Popen[bytes], changed: dict[str, object]
) -> None:
    assert find_running(noted(sleeper, **changed)) is None
    stop_all({"kafka": noted(sleeper, **changed)}, lambda _: None)
    assert sleeper.poll() is None


async def test_a_postgres_left_by_an_earlier_run_is_found_by_its_pid_file_and_stopped(tmp_path: Path) -> None:
    async with EmbeddedPostgres(tmp_path, "secret") as left:
        messages: list[str] = []
        await asyncio.to_thread(stop_orphan, tmp_path / "postgres" / "data", messages.append)
        await wait_until(lambda: not left.running, 5, "the postgres that was left has ended")
        assert len(messages) == 1


def test_a_postgres_pid_file_that_names_a_stranger_is_removed_and_the_stranger_left_alone(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    (tmp_path / "postmaster.pid").write_text(f"{sleeper.pid}\n{tmp_path}\n")
    stop_orphan(tmp_path, lambda _: None)
    assert sleeper.poll() is None
    assert not (tmp_path / "postmaster.pid").exists()
