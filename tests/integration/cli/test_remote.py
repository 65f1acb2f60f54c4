"""The commands about jobs, batches, documents and endpoints, as separate processes, against a running system."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from piperoll.embedded.ports import free_port
from tests.support.clients.commands import Ended, piperoll
from tests.support.files.pdf import pdf
from tests.support.stacks.system import System


def objects(ended: Ended) -> list[dict[str, object]]:
    """The objects of `--json`, one a line."""
    assert ended.code == 0, ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


async def test_a_job_is_shown_listed_downloaded_and_explained_by_its_facts(
    system: System, folder: Path, tmp_path: Path
) -> None:
    file = str(pdf(system.files / f"{uuid4().hex}.pdf", pages=2))
    webhook = {"url": system.receiver.url(f"/{uuid4().hex}")}
    job_id = await system.create("pdf", filename=file, include_images=True, webhook=webhook)
    await system.wait_for_end(job_id)
    await system.wait_for_final_hooks([job_id])

    shown = await piperoll("show", job_id, folder=folder)
    assert "completed" in shown.out
    assert "2," not in shown.err
    text = await piperoll("show", job_id, "--text", folder=folder)
    assert text.out.startswith("--- Seite 1 ---\nThis is page 1.")
    (whole,) = objects(await piperoll("show", job_id, "--json", folder=folder))
    assert whole == await system.job(job_id), "the object of the API, unchanged"

    listed = objects(await piperoll("jobs", "--type", "pdf", "--limit", "3", "--json", folder=folder))
    assert job_id in {one["job_id"] for one in listed}
    rows = (await piperoll("jobs", "--limit", "3", folder=folder)).out.splitlines()
    assert rows[0].split("\t")[:3] == ["id", "type", "status"]

    (written,) = objects(await piperoll("download", job_id, "--out", str(tmp_path), "--json", folder=folder))
    names = sorted(path.name for path in (tmp_path / job_id).rglob("*") if path.is_file())
    assert len(names) == 3
    assert "text.md" in names
    assert len(written["files"]) == 3  # type: ignore[arg-type]

    facts = objects(await piperoll("events", job_id, "--json", folder=folder))
    assert [fact["sequence"] for fact in facts] == list(range(1, len(facts) + 1))
    attempts = await piperoll("deliveries", job_id, folder=folder)
    assert "delivered" in attempts.out


async def test_the_log_of_a_job_is_printed_as_lines(system: System, folder: Path) -> None:
    job_id = await system.create(behaviour="fail")
    job = await system.wait_for_end(job_id)

    lines = (await piperoll("logs", job_id, folder=folder)).out.splitlines()
    found = objects(await piperoll("logs", job_id, "--json", folder=folder))

    assert found == job["logs"]
    assert len(lines) == 1 + len(found)
    assert lines[1].endswith("info\tJob started")
    assert "\terror\tThe noop job failed as requested" in lines[-1]
    unknown = await piperoll("logs", "job-unknown", folder=folder)
    assert (unknown.code, "job-unknown: job not found" in unknown.err) == (1, True)


async def test_a_profile_names_a_server_and_the_shell_completes_the_ids_of_its_jobs(
    system: System, tmp_path: Path
) -> None:
    key = await system.create_key(f"profiled-{uuid4().hex[:8]}")
    file = tmp_path / "profiles.toml"
    file.write_text(f'[work]\nurl = "{system.stack.api_url}"\napi_key = "{key}"\n')
    file.chmod(0o600)
    reply = await system.client.post(
        "/api/jobs/", json={"job_type": "noop", "parameters": {}}, headers={"Authorization": f"Bearer {key}"}
    )
    job_id = reply.json()["data"]["job_id"]

    listed = objects(await piperoll("jobs", "--profile", "work", "--json", folder=None, PIPEROLL_CONFIG=str(file)))
    shell = {
        "_PIPEROLL_COMPLETE": "complete_bash",
        "COMP_WORDS": "piperoll show --profile work job-",
        "COMP_CWORD": "4",
    }
    offered = await piperoll(folder=None, PIPEROLL_CONFIG=str(file), **shell)

    assert [job["job_id"] for job in listed] == [job_id]
    assert offered.out.split() == [job_id]


async def test_jobs_are_cancelled_restarted_and_erased(system: System, folder: Path) -> None:
    job_id = await system.create(sleep_s=600)

    cancelled = await piperoll("cancel", job_id, "job-unknown", folder=folder)
    assert (cancelled.code, "cancelled" in cancelled.out) == (1, True), "the others are cancelled all the same"
    assert "job-unknown: job not found" in cancelled.err

    (again,) = objects(await piperoll("restart", job_id, "--json", folder=folder))
    assert again["retry_of"] == job_id
    kept = await piperoll("erase", job_id, folder=folder)
    assert kept.code == 1
    assert "--yes" in kept.err
    erased = await piperoll("erase", job_id, str(again["job_id"]), "--yes", folder=folder)
    assert (erased.code, erased.err) == (0, "")
    assert (await system.client.get(f"/api/jobs/{job_id}")).status_code == 404


async def test_batches_documents_and_endpoints_are_listed(system: System, folder: Path) -> None:
    batch = await system.create_batch(2)
    url = f"http://127.0.0.1:{free_port()}"  # a receiver that others read would get its notices too
    endpoint = (await system.client.post("/v1/webhooks", json={"url": url})).json()["data"]
    await system.client.post("/v1/documents?wait=60", files={"file": ("notes.txt", b"Plain notes.")})

    batches = objects(await piperoll("batches", "--json", folder=folder))
    assert batch["batch_id"] in {one["batch_id"] for one in batches}
    assert "notes.txt" in (await piperoll("documents", folder=folder)).out
    endpoints = objects(await piperoll("endpoints", "--json", folder=folder))
    assert {"id", "url", "createdAt"} <= endpoints[0].keys()
    assert "secret" not in endpoints[0]
    await system.client.delete(f"/v1/webhooks/{endpoint['id']}")


async def test_a_search_without_a_fitting_folder_names_those_that_there_are(system: System, folder: Path) -> None:
    name = f"Manuals {uuid4().hex[:6]}"
    made = (await system.client.post("/v1/folders", json={"name": name})).json()["data"]

    unknown = await piperoll("search", "pump", "--folder", "nowhere", folder=folder)
    unindexed = await piperoll("search", "pump", "--folder", name, folder=folder)

    assert (unknown.code, unindexed.code) == (2, 1)
    assert name in unknown.err
    assert "CONFLICT" in unindexed.err
    await system.client.delete(f"/v1/folders/{made['id']}")


@pytest.mark.parametrize("command", ["show", "events", "deliveries", "watch", "cancel"])
async def test_what_is_not_an_id_is_named_and_never_another_path(folder: Path, command: str) -> None:
    ended = await piperoll(command, "../../etc", folder=folder)

    assert ended.code == 1
    assert "'../../etc' is not an id" in ended.err


async def test_a_full_disk_behind_the_output_is_named(system: System, folder: Path) -> None:
    job_id = await system.create()
    ended = await piperoll("show", job_id, "--json", folder=folder, to="/dev/full")

    assert ended.code == 1
    assert "the output cannot be written: No space left on device" in ended.err
    assert "Traceback" not in ended.err
