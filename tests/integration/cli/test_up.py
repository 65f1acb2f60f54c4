"""`piperoll up` and `piperoll demo`, as whole commands with their own Kafka and Postgres."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.support.files.pdf import pdf
from tests.support.waiting import PATIENCE_S, wait_until

LIMIT_S = 300.0


async def start(*arguments: str, **variables: str) -> asyncio.subprocess.Process:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PIPEROLL_")} | variables
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "piperoll", *arguments),
        env=bare,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def output_of(process: asyncio.subprocess.Process) -> str:
    out, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return out.decode()


async def test_the_demonstration_succeeds_and_its_first_job_is_there_the_next_time(tmp_path: Path) -> None:
    first = await start("demo", "--data-dir", str(tmp_path / "stack"))
    shown = await output_of(first)
    assert first.returncode == 0, shown
    for expected in ("An unbroken record", "pages         14", "completed after", "phase, message, data", "job-"):
        assert expected in shown

    bad = tmp_path / "bad.pdf"
    bad.write_text("no PDF")
    second = await start("demo", "--data-dir", str(tmp_path / "stack"), "--pdf", str(bad))
    shown = await output_of(second)
    assert second.returncode == 1, shown
    assert "INVALID_PDF" in shown
    assert "is still completed" in shown


async def test_up_serves_with_the_given_key_until_it_is_stopped(tmp_path: Path) -> None:
    data_dir = tmp_path / "stack"
    path = pdf(tmp_path / "mine.pdf", 2)
    opened = tmp_path / "opened"
    process = await start(
        *("up", "--port", "0", "--data-dir", str(data_dir), "--api-key", "pr_a.chosen-key-of-the-test"),
        *("--pdf", str(path), "--workers", "1", "--open"),
        BROWSER=f"{browser(tmp_path / 'browser', opened)} %s",
    )
    try:
        begun, link = await _until_link(process)
        stack = await _ready(data_dir)
        assert link.startswith(f"{stack['api_url']}/#sign-in=")
        await wait_until(opened.exists, LIMIT_S, "the browser to be started")
        assert opened.read_text().strip() == link
        nonce = link.partition("=")[2]
        async with httpx.AsyncClient(base_url=stack["api_url"]) as client:
            replies = [await client.post("/api/session", json={"nonce": nonce}) for _ in range(2)]
        assert [reply.status_code for reply in replies] == [200, 401]
        assert replies[0].json()["data"]["owner"] == "local"
        assert stack["env"]["PIPEROLL_SLOTS"] == "1"
        again = await start("up", "--port", "0", "--data-dir", str(data_dir))
        refusal = await output_of(again)
        assert again.returncode == 1
        assert "in use by another running stack" in refusal
    finally:
        process.send_signal(signal.SIGTERM)
        shown = begun + await output_of(process)

    assert process.returncode == 0, shown
    assert "This is page 2." in shown
    assert "pr_a.chosen-key-of-the-test" in shown
    assert stack["api_url"] in shown
    assert not [pid for pid in stack["pids"].values() if psutil.pid_exists(pid)]
    assert not (data_dir / "stack.json").exists()


def browser(path: Path, opened: Path) -> Path:
    """A program in place of a browser, which writes the address that it is called with."""
    path.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {opened}.part && mv {opened}.part {opened}\n')
    path.chmod(0o700)
    return path


async def _until_link(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """What was shown up to the link, which is the last line, and the link."""
    assert process.stdout is not None
    shown = ""
    async with asyncio.timeout(LIMIT_S):
        async for line in process.stdout:
            shown += line.decode()
            if "/#sign-in=" in shown:
                return shown, line.decode().strip()
    raise AssertionError(shown)


async def _ready(data_dir: Path) -> dict[str, Any]:
    """The content of stack.json, once the API takes the test's key and has the job of the demonstration."""

    async def ready() -> dict[str, Any] | None:
        stack: dict[str, Any] = json.loads((data_dir / "stack.json").read_text())
        note = json.loads((data_dir / "demonstration.json").read_text())
        headers = {"Authorization": "Bearer pr_a.chosen-key-of-the-test"}
        async with httpx.AsyncClient(base_url=stack["api_url"], headers=headers) as client:
            reply = await client.get(f"/api/jobs/{note['first_job']}")
        return stack if reply.status_code == 200 else None

    found = await wait_until(
        ready, LIMIT_S, "the demonstration of `up`", not_yet=(OSError, httpx.HTTPError, ValueError)
    )
    assert found is not None
    return found
