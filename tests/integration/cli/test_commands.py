"""The commands, as processes of their own, against a running system."""

import asyncio
import json
import os
import pty
import sys
from pathlib import Path

import pytest

from tests.support.clients.commands import piperoll
from tests.support.files.pdf import pdf
from tests.support.servers.receiver import Receiver, status
from tests.support.stacks.system import System
from tests.support.tools import wait_for
from tests.support.waiting import wait_until

LIMIT_S = 60.0


@pytest.fixture
def folder(system: System) -> Path:
    return system.stack.data_dir


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
    shown = await asyncio.wait_for(asyncio.to_thread(_read_all, master), LIMIT_S)

    assert await process.wait() == 0
    assert "━" in shown
    assert "completed" in shown


def _read_all(master: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # how Linux tells that the last one has closed the terminal
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
    unknown = await piperoll("watch", "job-of-nobody", folder=folder)
    stranger = await piperoll("watch", "x", folder=None, PIPEROLL_URL=system.stack.api_url, PIPEROLL_API_KEY="wrong")

    assert (refused.code, unknown.code, stranger.code) == (1, 1, 1)
    assert "INVALID_PARAMETERS" in refused.err
    assert "native" in refused.err
    assert "NOT_FOUND" in unknown.err
    assert "PIPEROLL_API_KEY" in stranger.err


async def test_webhooks_that_were_given_up_are_counted_and_sent_again_when_that_is_said(
    system: System, folder: Path
) -> None:
    async with Receiver() as receiver:
        receiver.answers("/hook", status(410))
        await system.create(webhook={"url": receiver.url()})
        command = ("redeliver", "--origin", receiver.origin, "--since", "2020-01-01T00:00:00Z")

        async def given_up() -> bool:
            return "1 can be sent again" in (await piperoll(*command, folder=folder)).out

        await wait_until(given_up, 60, "the webhook to be given up")
        receiver.answers("/hook", status(200))
        before = len(receiver.received)
        sent = await piperoll(*command, "--yes", folder=folder)
        assert (sent.code, "redelivery of 1 requested" in sent.out) == (0, True), sent
        await receiver.wait_for(lambda r: len(r.received) == before + 1)
        assert "none was held or given up" in (await piperoll(*command, folder=folder)).out
    wrong = await piperoll("redeliver", "--origin", "nowhere", "--since", "2020-01-01T00:00:00Z", folder=folder)
    assert wrong.code == 1
    assert "https://example.com" in wrong.err


async def test_a_key_is_printed_alone_works_and_can_be_revoked(system: System, folder: Path, tmp_path: Path) -> None:
    made = await piperoll("keys", "create", "--owner", "cli-test", "--scopes", "jobs", folder=folder)
    key = made.out.strip()
    assert made.out == f"{key}\n"

    path = str(pdf(tmp_path / "a.pdf"))
    api = {"PIPEROLL_URL": system.stack.api_url, "PIPEROLL_API_KEY": key}
    used = await piperoll("submit", path, "--wait", folder=None, **api)
    assert used.code == 0, used.err

    revoked = await piperoll("keys", "revoke", key, folder=folder)
    listed = await piperoll("keys", "list", folder=folder)
    assert revoked.code == 0
    (row,) = [line for line in listed.out.splitlines() if "cli-test" in line]
    assert "revoked" in row
    assert key.partition(".")[2] not in listed.out


async def test_bad_keys_commands_say_what_would_do(system: System, folder: Path) -> None:
    owner = await piperoll("keys", "create", "--owner", "../x", folder=folder)
    scope = await piperoll("keys", "create", "--owner", "x", "--scopes", "all", folder=folder)
    nobody = await piperoll("keys", "revoke", "nobody", folder=folder)

    assert [one.code for one in (owner, scope, nobody)] == [1, 1, 1]
    assert "A-Z" in owner.err
    assert "admin, jobs" in scope.err
    assert "keys list" in nobody.err


async def test_topics_are_checked_and_described(system: System, folder: Path) -> None:
    checked = await piperoll("topics", "check", folder=folder)
    made = await piperoll("topics", "create", folder=folder)
    described = await piperoll("topics", "describe", folder=folder)

    assert [one.code for one in (checked, made, described)] == [0, 0, 0]
    assert "piperoll.jobs.events.v1" in described.out
    assert "for ever" in described.out


async def test_a_drifted_topic_fails_the_check_and_the_doctor(system: System) -> None:
    drifted = {**system.stack.environment, "PIPEROLL_PARTITIONS": "7"}

    checked = await piperoll("topics", "check", folder=None, **drifted)
    examined = await piperoll("doctor", folder=None, **drifted)

    assert (checked.code, examined.code) == (1, 1)
    assert "PIPEROLL_PARTITIONS says 7" in checked.err
    assert "PIPEROLL_PARTITIONS says 7" in examined.out


async def test_verify_holds_before_and_after_a_rebuild(system: System, folder: Path) -> None:
    job_id = await system.create()
    await system.wait_for_end(job_id)

    before = await piperoll("verify", folder=folder)
    rebuilt = await piperoll("rebuild", folder=folder)
    after = await piperoll("verify", folder=folder)

    assert [one.code for one in (before, rebuilt, after)] == [0, 0, 0], (before, rebuilt, after)
    assert "holds" in after.out
    assert (await system.job(job_id))["status"] == "completed"


async def test_verify_that_cannot_run_ends_with_2() -> None:
    nowhere = {"PIPEROLL_KAFKA_BOOTSTRAP": "127.0.0.1:1", "PIPEROLL_POSTGRES_DSN": "postgresql://x@127.0.0.1:1/x"}

    done = await piperoll("verify", folder=None, **nowhere)

    assert done.code == 2
    assert "Traceback" not in done.err


async def test_the_doctor_names_what_is_wrong(system: System, folder: Path) -> None:
    sound = await piperoll("doctor", folder=folder)
    nowhere = {"PIPEROLL_KAFKA_BOOTSTRAP": "127.0.0.1:1", "PIPEROLL_POSTGRES_DSN": "postgresql://x@127.0.0.1:1/x"}
    broken = await piperoll("doctor", folder=None, **nowhere, PIPEROLL_FILES_ROOTS="/", PIPEROLL_API_PORT="1")

    assert (sound.code, broken.code) == (0, 1), sound
    assert "PIPEROLL_ENABLE_NOOP" in sound.out
    failed = {line.split()[1] for line in broken.out.splitlines() if line.strip().startswith("fail")}
    assert {"Kafka", "Postgres", "files", "secrets", "API"} <= failed
