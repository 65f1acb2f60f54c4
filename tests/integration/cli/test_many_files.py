"""`piperoll submit` with many files, and what follows an interruption."""

import asyncio
import json
import signal
import sys
from pathlib import Path
from uuid import uuid4

from piperoll.cli.remote.sources import SourceOptions, job_sources
from tests.support.clients.commands import piperoll
from tests.support.files.pdf import pdf
from tests.support.stacks.system import System
from tests.support.waiting import wait_until


def several(tmp_path: Path) -> Path:
    """A folder with files that no other test has."""
    given = tmp_path / "given"
    (given / "deep").mkdir(parents=True)
    pdf(given / "a.pdf", pages=2)
    (given / "notes.txt").write_text(f"Notes {uuid4().hex}.")
    (given / "deep" / "more.md").write_text(f"# More\n\n{uuid4().hex}\n")
    return given


async def test_a_folder_becomes_texts_in_another_folder(folder: Path, tmp_path: Path) -> None:
    given, texts = several(tmp_path), tmp_path / "texts"

    done = await piperoll("submit", str(given), "--recursive", "--out", str(texts), folder=folder)

    assert (done.code, done.err) == (0, "")
    lines = [line.split() for line in done.out.splitlines()]
    assert [line[2] for line in lines if line[1].startswith("job-")] == ["completed"] * 3
    written = {path.relative_to(texts).as_posix() for path in texts.rglob("*") if path.is_file()}
    assert written == {"a.pdf.txt", "notes.txt.txt", "deep/more.md.txt"}
    assert "This is page 2." in (texts / "a.pdf.txt").read_text()
    assert (texts / "notes.txt.txt").read_text() == (given / "notes.txt").read_text()


async def test_a_batch_has_all_files_and_one_that_fails_fails_the_command(
    system: System, folder: Path, tmp_path: Path
) -> None:
    given, name = several(tmp_path), f"Batch {uuid4().hex[:6]}"
    (given / "bad.pdf").write_text(f"no PDF {uuid4().hex}")

    done = await piperoll("submit", str(given), "--batch", name, "--wait", folder=folder)

    assert done.code == 1
    assert "INVALID_PDF" in done.out
    assert "2 files completed, 1 failed" in done.out
    listed = (await system.client.get("/api/jobs/batches?limit=20")).json()["data"]["batches"]
    (batch,) = [one for one in listed if one["batch_name"] == name]
    assert (batch["job_count"], batch["failed_count"]) == (3, 1)


async def test_what_was_submitted_is_taken_up_with_resume_and_nothing_twice(
    system: System, folder: Path, tmp_path: Path
) -> None:
    given = several(tmp_path)
    first = await piperoll("submit", str(given / "a.pdf"), str(given / "notes.txt"), "--json", folder=folder)
    ids = {json.loads(line)["job_id"] for line in first.out.splitlines()}

    again = await piperoll("submit", str(given), "--recursive", "--resume", "--wait", "--json", folder=folder)

    jobs = [json.loads(line) for line in again.out.splitlines()]
    assert (again.code, len(ids), len(jobs)) == (0, 2, 3)
    assert ids < {job["job_id"] for job in jobs}
    assert {job["status"] for job in jobs} == {"completed"}


async def test_an_interruption_names_how_to_go_on(system: System, folder: Path, tmp_path: Path) -> None:
    given = several(tmp_path)
    slow = [await system.create(sleep_s=600) for _ in range(2)]  # both slots are taken
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "piperoll", "submit", str(given), "--wait", "--data-dir", str(folder)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    targets = [one.target() for one in await asyncio.to_thread(job_sources, [str(given)], SourceOptions())]

    async def created() -> bool:
        replies = [await system.client.get("/api/jobs/", params={"target_id": target}) for target in targets]
        return all(reply.json()["data"]["total"] == 1 for reply in replies)

    await wait_until(created, 60, "a job for each file")
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()
    for job_id in slow:
        await system.client.post(f"/api/jobs/{job_id}/cancel")

    assert process.returncode == 130
    assert "the 2 jobs created go on: `piperoll watch job-" in errors.decode()
    assert "--resume" in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_the_results_are_written_in_the_format_that_is_asked_for(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<h1>Rolls</h1><p>Yearly accounts.</p>")
    plain = tmp_path / "notes.txt"
    plain.write_text("Plain notes.")
    out = tmp_path / "out"

    for asked in ("markdown", "json"):
        ended = await piperoll(
            *("submit", str(page), str(plain), "--resume", "--out", str(out), "--format", asked), folder=folder
        )
        assert ended.code == 0, ended.err

    assert {one.name for one in out.iterdir()} == {"page.html.md", "notes.txt.txt", "page.html.json", "notes.txt.json"}
    assert "# Rolls" in (out / "page.html.md").read_text()
    assert "Yearly" in json.loads((out / "page.html.json").read_text())["structured_data"]["extracted_text"]


async def test_nothing_is_sent_when_one_file_is_refused(system: System, folder: Path, tmp_path: Path) -> None:
    given = several(tmp_path)
    (source,) = await asyncio.to_thread(job_sources, [str(given / "notes.txt")], SourceOptions())

    missing = await piperoll("submit", str(given / "notes.txt"), str(tmp_path / "missing.pdf"), folder=folder)
    wrong = await piperoll("submit", str(given / "notes.txt"), "--method", "native", folder=folder)

    assert (missing.code, wrong.code) == (2, 1)
    assert "missing.pdf is not a file" in missing.err
    assert "jobs of the type extraction do not take it" in wrong.err
    listed = await system.client.get("/api/jobs/", params={"target_id": source.target()})
    assert listed.json()["data"]["total"] == 0


async def test_several_jobs_are_watched_at_once(system: System, folder: Path) -> None:
    ids = [await system.create(sleep_s=1, steps=2) for _ in range(3)]

    seen = await piperoll("watch", *ids, "--json", folder=folder)
    unknown = await piperoll("watch", ids[0], "job-unknown", folder=folder)

    assert seen.code == 0
    assert {json.loads(line)["job_id"] for line in seen.out.splitlines()} == set(ids)
    assert unknown.code == 1
    assert "job-unknown: job not found" in unknown.err
    assert "completed" in unknown.out


async def test_files_are_estimated_without_a_job(system: System, folder: Path, tmp_path: Path) -> None:
    given = several(tmp_path)
    pdf(given / "locked.pdf", password="x")
    before = (await system.client.get("/api/jobs/counts")).json()["data"]["total"]

    done = await piperoll("estimate", str(given), folder=folder)

    rows = dict(line.split("\t", 1) for line in done.out.splitlines() if "\t" in line)
    assert rows["a.pdf"].split("\t")[:2] == ["2", "0"]
    assert rows["notes.txt"].split("\t")[0] == ""
    assert "protected by a password" in rows["locked.pdf"]
    assert "3 files, 2 pages" in done.out
    assert done.code == 1, "a job for one of them would fail"
    assert (await system.client.get("/api/jobs/counts")).json()["data"]["total"] == before


async def test_an_estimate_is_an_object_for_programs(folder: Path, tmp_path: Path) -> None:
    done = await piperoll("estimate", str(pdf(tmp_path / "a.pdf", pages=3)), "--pages", "2-", "--json", folder=folder)

    found = json.loads(done.out)
    assert (done.code, found["file"], found["pages"], found["problem"]) == (0, "a.pdf", 2, None)
