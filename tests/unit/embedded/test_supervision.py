"""What the stack on this machine reports: restarts, a folder or port in use, what a start waits for."""

import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from piperoll.embedded import readiness
from piperoll.embedded.errors import StackError
from piperoll.embedded.readiness import wait_for_api
from piperoll.embedded.stack import Stack, StackOptions
from piperoll.embedded.supervisor import ServiceProcess, Supervisor
from tests.support.waiting import wait_until


@pytest.fixture
async def reported(tmp_path: Path) -> AsyncIterator[tuple[Supervisor, list[str]]]:
    """A supervised program, and the events about it."""
    events: list[str] = []
    sleeping = [sys.executable, "-c", "import time; time.sleep(600)"]
    part = ServiceProcess("worker", sleeping, tmp_path / "worker.log", lambda: dict(os.environ))
    one = Supervisor("worker", part, supervise=True, on_event=events.append, on_change=lambda: None)
    await one.start()
    yield one, events
    await one.stop()


async def test_a_restart_names_the_process_that_ended_and_the_one_that_runs(
    reported: tuple[Supervisor, list[str]],
) -> None:
    one, events = reported
    assert one.part.process is not None
    before = one.part.process.pid

    await one.part.kill()
    await wait_until(lambda: len(events) == 2, 30, "the program to run again")

    after = one.part.process.pid
    assert events[0] == f"worker (process {before}) ended (signal SIGKILL): restarting it in 0.1 s"
    assert events[1] == f"worker runs again (process {after})"
    assert before != after


async def test_a_folder_in_use_names_the_stack_that_uses_it(tmp_path: Path) -> None:
    first = Stack(tmp_path)
    await first.claim()
    try:
        with pytest.raises(StackError, match=f"in use by another running stack .process {os.getpid()}.: stop that one"):
            await Stack(tmp_path).claim()
        (tmp_path / "stack.json").write_text('{"api_url": "http://127.0.0.1:5001"}')
        with pytest.raises(StackError, match=rf"process {os.getpid()}, http://127.0.0.1:5001.*--data-dir"):
            await Stack(tmp_path).claim()
    finally:
        await first.stop()


async def test_a_port_in_use_names_the_option_for_another_one(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(StackError, match="choose another one with --port"):
            await Stack(tmp_path, StackOptions(port=other.getsockname()[1])).claim()
    again = Stack(tmp_path)
    await again.claim()
    await again.stop()


async def test_a_start_reports_briefly_what_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_NOTE_S", 0.0)
    problems = {"kafka": "Kafka does not answer", "projector": "the tables are behind the log by 3 s"}
    events: list[str] = []

    async def ready(_: web.Request) -> web.Response:
        body = {"status": "error", "error": {"message": "not ready", "details": {"problems": problems}}}
        return web.json_response(body, status=503 if len(events) < 2 else 200)

    app = web.Application()
    app.router.add_get("/api/health/ready", ready)
    async with TestServer(app) as server:
        await wait_for_api(f"http://127.0.0.1:{server.port}", 30, events.append, lambda: "")

    assert set(events) == {"not ready yet: kafka, projector"}
