"""Erasure as its owner sees it: after DELETE, what was given and made is found nowhere, and the batch still counts."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import pymupdf

from tests.support.stacks.system import System, is_final
from tests.support.stacks.traces import blobs_of, found_in, until_gone


def secret_pdf(path: Path, secret: str) -> Path:
    """A PDF whose text and title hold a secret, uncompressed, so that a search finds it."""
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 72), secret)
        document.set_metadata({"title": secret})
        document.save(path)
    assert secret.encode() in path.read_bytes()
    return path


async def erase(system: System, path: str) -> None:
    reply = await system.client.delete(path)
    assert reply.status_code in (200, 202), reply.text


async def test_after_an_erasure_the_content_is_found_nowhere(system: System) -> None:
    """In the uploaded PDF, in the result, in the cache, in a token and in a receiver's address."""
    text, token, address = (f"canary-{uuid4().hex}" for _ in range(3))
    path = secret_pdf(system.files / "canary.pdf", text)
    reply = await system.client.post("/api/files", files={"file": (f"{text}.pdf", path.read_bytes())})
    parameters: dict[str, Any] = {
        "filename": reply.json()["data"]["filename"],
        "include_images": True,
        "webhook": {"url": system.receiver.url(f"/hook/{address}"), "token": token},
    }
    job_id = await system.create("pdf", **parameters)
    job = await system.wait_for_end(job_id)
    assert text in job["results"]["structured_data"]["extracted_text"]
    hooks = await system.wait_for_final_hooks([job_id])
    assert is_final(hooks[job_id][-1])
    before = await found_in(system, text, token, address)
    assert any("uploads" in place for place in before)
    assert any("result.json" in place for place in before)
    assert not any("piperoll." in place for place in before), "the log never had it"
    assert not any(place.startswith(token) for place in before), "a token is sealed wherever it lies"

    await erase(system, f"/api/jobs/{job_id}")
    await until_gone(system, text, token, address)
    assert (await system.client.get(f"/api/jobs/{job_id}")).status_code == 404
    assert not any(job_id in name for name, _ in blobs_of(system)), "no blob and no name of one is left"


async def test_erasing_a_running_job_stops_it_and_deletes_its_output(system: System) -> None:
    text = f"canary-{uuid4().hex}"
    begin = await system.log_end()
    job_id = await system.create(sleep_s=3600, steps=1000, error_code=text)
    await system.wait_for_status(job_id, "processing")
    await erase(system, f"/api/jobs/{job_id}")
    await until_gone(system, text)
    slots = [system.create(sleep_s=0.01) for _ in range(4)]
    ended = await system.wait_for_all(await asyncio.gather(*slots))
    assert {job["status"] for job in ended} == {"completed"}, "its slot is free again"
    assert [type(fact.data).__name__ for fact in await system.facts_of({job_id}, begin)][-1] == "JobErased"


async def test_an_erased_member_is_removed_from_its_batch(system: System) -> None:
    text, other = f"canary-{uuid4().hex}", f"keep-{uuid4().hex}"
    jobs = [{"job_type": "noop", "parameters": {"error_code": one}} for one in (text, other)]
    batch = (await system.post("/api/jobs/batch", {"batch_name": other, "jobs": jobs}))["batch"]
    member = batch["jobs"][0]["job_id"]
    await system.wait_for_all([one["job_id"] for one in batch["jobs"]])
    await erase(system, f"/api/jobs/{member}")
    await until_gone(system, text)
    assert await found_in(system, other), "what the other member was given stays"
    assert (await system.batch(batch["batch_id"]))["job_count"] == 2


async def test_the_content_of_a_deleted_batch_is_found_nowhere(system: System) -> None:
    text = f"canary-{uuid4().hex}"
    jobs = [{"job_type": "noop", "parameters": {"error_code": text, "use_cache": True}} for _ in range(3)]
    batch = (await system.post("/api/jobs/batch", {"batch_name": text, "jobs": jobs}))["batch"]
    await system.wait_for_all([one["job_id"] for one in batch["jobs"]])
    await erase(system, f"/api/jobs/batch/{batch['batch_id']}")
    await until_gone(system, text)


async def test_the_next_worker_finishes_an_erasure_of_a_killed_one(system: System) -> None:
    text = f"canary-{uuid4().hex}"
    jobs = [await system.create(error_code=text) for _ in range(5)]
    await system.wait_for_all(jobs)
    for job_id in jobs:
        await erase(system, f"/api/jobs/{job_id}")
        await system.stack.kill("worker")
    await until_gone(system, text)
    report = await system.verify()
    assert not report.violations, report.violations


async def test_an_upload_is_kept_as_long_as_a_job_uses_it(system: System) -> None:
    path = secret_pdf(system.files / "shared.pdf", "Shared")
    reply = await system.client.post("/api/files", files={"file": ("shared.pdf", path.read_bytes())})
    filename = reply.json()["data"]["filename"]
    first = await system.create("pdf", filename=filename)
    await system.wait_for_end(first)
    second = await system.create("pdf", filename=filename, use_cache=False)
    await erase(system, f"/api/jobs/{first}")
    await until_gone(system, f"{first}/result.json")
    assert (await system.wait_for_end(second))["status"] == "completed"
    third = await system.wait_for_end(await system.create("pdf", filename=filename, use_cache=False))
    assert third["status"] == "completed", third.get("error")
