"""`piperoll submit` and `piperoll watch`, as separate processes, against a running system."""

import asyncio
import json
import os
import pty
import sys
from pathlib import Path

from tests.support.clients.commands import piperoll
from tests.support.files.pdf import pdf
from tests.support.stacks.system import System
from tests.support.tools import wait_for
from tests.support.waiting import PATIENCE_S


async def test_submit_follows_a_job_in_plain_lines(system: System, folder: Path, tmp_path: Path) -> None:
    done = await piperoll("submit", str(pdf(tmp_path / "a.pdf", 5)), "--wait", "--pages", "2-3", folder=folder)

    assert (done.code, done.err) == (0, "")
    assert "100 %  completed" in done.out
    assert "This is page 2." in done.out
    assert "This is page 4." not in done.out
    assert "\x1b" not in done.out


async def test_submit_on_a_terminal_shows_bars(system: System, folder: Path, tmp_path: Path) -> None:
    try:
        master, slave = pty.openpty()
    except OSError:
        wait_for("a pseudo-terminal: mount devpts at /dev/pts")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "piperoll", "submit", str(pdf(tmp_path / "a.pdf", 40)), "--wait"),
        *("--include-images", "--data-dir", str(folder)),
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    shown = await asyncio.wait_for(asyncio.to_thread(_read_all, master), PATIENCE_S)

    assert await process.wait() == 0
    assert "━" in shown
    assert "completed" in shown


def _read_all(master: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # how Linux reports that the last one has closed the terminal
            break
        if not part:
            break
        parts.append(part)
    os.close(master)
    return b"".join(parts).decode(errors="replace")


async def test_submit_prints_only_json_when_asked(system: System, folder: Path, tmp_path: Path) -> None:
    done = await piperoll("submit", str(pdf(tmp_path / "a.pdf")), "--json", folder=folder)

    job = json.loads(done.out)
    assert (await system.wait_for_end(job["job_id"]))["status"] == "completed"
    watched = await piperoll("watch", job["job_id"], "--json", folder=folder)
    assert json.loads(watched.out)["results"]["structured_data"]["metadata"]["page_count"] == 3


async def test_watching_a_job_that_fails_ends_with_its_error(system: System, folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pdf"
    bad.write_text("no PDF")

    done = await piperoll("submit", str(bad), "--wait", folder=folder)

    assert done.code == 1
    assert "INVALID_PDF" in done.err
    assert "Traceback" not in done.err


async def test_a_refusal_is_one_sentence(system: System, folder: Path, tmp_path: Path) -> None:
    path = str(pdf(tmp_path / "a.pdf"))
    refused = await piperoll("submit", path, "--method", "guessing", folder=folder)
    unknown = await piperoll("watch", "job-unknown", folder=folder)
    stranger = await piperoll("watch", "x", folder=None, PIPEROLL_URL=system.stack.api_url, PIPEROLL_API_KEY="wrong")

    assert (refused.code, unknown.code, stranger.code) == (1, 1, 1)
    assert "INVALID_PARAMETERS" in refused.err
    assert "native" in refused.err
    assert "NOT_FOUND" in unknown.err
    assert "PIPEROLL_API_KEY" in stranger.err
