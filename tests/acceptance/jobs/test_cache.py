"""The cache as clients see it: what is taken over, what waits for what, and what is never shared.
See docs/contract/secretary.md#cache."""

import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from schemas.events import JobCompleted
from tests.support.files.pdf import held_pdf, pdf
from tests.support.servers.website import Website
from tests.support.stacks.system import System
from tests.support.waiting import wait_until

_seconds = iter(range(1, 1000))


def work(sleep_s: float) -> dict[str, Any]:
    """Parameters of a job that no other test asks for: the same ones are the same work."""
    return {"sleep_s": sleep_s + next(_seconds) / 1000, "use_cache": True}


def from_cache(job: dict[str, Any]) -> bool:
    return bool(job["results"].get("process", {}).get("is_from_cache", False))


def contents(results: dict[str, Any]) -> list[bytes]:
    """The content of each asset."""
    return [Path(asset).read_bytes() for asset in results["assets"]]


async def run(system: System, job_type: str = "noop", **parameters: Any) -> dict[str, Any]:
    job = await system.wait_for_end(await system.create(job_type, **parameters))
    assert job["status"] == "completed", job.get("error")
    return job


async def test_the_same_content_under_another_name_gets_the_cached_result_with_its_files(system: System) -> None:
    source = pdf(system.files / f"{uuid4().hex}.pdf", pages=2)
    copy = Path(shutil.copy(source, system.files / f"{uuid4().hex}.pdf"))
    begin = await system.log_end()
    first = await run(system, "pdf", filename=str(source), include_images=True)
    second = await run(system, "pdf", filename=str(copy), include_images=True)
    assert (from_cache(first), from_cache(second)) == (False, True)
    facts = await system.facts_of({first["job_id"], second["job_id"]}, begin)
    ends = {fact.subject: fact.data.from_cache for fact in facts if isinstance(fact.data, JobCompleted)}
    assert ends == {first["job_id"]: False, second["job_id"]: True}
    one, other = first["results"], second["results"]
    assert other["structured_data"]["extracted_text"] == one["structured_data"]["extracted_text"]
    assert other["structured_data"]["metadata"]["file_name"] == copy.name
    assert second["job_id"] in other["target_dir"]
    assert all(asset.startswith(other["target_dir"]) for asset in other["assets"])
    assert contents(other) == contents(one)
    assert second["progress"] == {"step": "completed", "percent": 100, "message": "Processing completed"}
    assert first["job_id"] not in str(other)


async def test_other_content_or_parameters_are_not_cached(system: System) -> None:
    path = pdf(system.files / f"{uuid4().hex}.pdf", pages=2)
    await run(system, "pdf", filename=str(path))
    assert not from_cache(await run(system, "pdf", filename=str(path), page_end=1))
    pdf(path, pages=3)
    changed = await run(system, "pdf", filename=str(path))
    assert not from_cache(changed)
    assert changed["results"]["structured_data"]["metadata"]["page_count"] == 3


async def test_use_cache_and_force_refresh_are_respected(system: System) -> None:
    asked = work(0)
    assert not from_cache(await run(system, **(asked | {"use_cache": False})))
    assert not from_cache(await run(system, **asked)), "the job before was not to leave its result"
    assert from_cache(await run(system, **asked))
    refreshed = await run(system, **asked, force_refresh=True)
    assert not from_cache(refreshed)
    assert from_cache(await run(system, **asked))


async def test_another_owner_never_gets_a_cached_result(system: System) -> None:
    asked = work(0)
    await run(system, **asked)
    key = await system.create_key(f"owner-{uuid4().hex[:8]}")
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=system.stack.api_url, headers=headers, timeout=70) as client:
        theirs = System(system.stack, client, system.receiver, system.files)
        assert not from_cache(await run(theirs, **asked))
        assert from_cache(await run(theirs, **asked))


async def test_an_equal_job_waits_for_the_running_one_and_delays_no_other(
    system: System, site: Website, tmp_path: Path
) -> None:
    held = held_pdf(site, tmp_path)
    asked = {"job_type": "pdf", "url": held.url, "use_cache": True}
    first = await system.create(**asked)
    await system.wait_for_status(first, "processing")
    equals = [await system.create(**asked, priority=9, target_id=f"t-{number}") for number in range(3)]
    other = await run(system, **work(0))
    assert other["status"] == "completed"
    assert (await system.job(first))["status"] == "processing", "the other one was not held up"
    assert {(await system.job(job_id))["status"] for job_id in equals} == {"pending"}
    held.release()
    ended = await system.wait_for_all(equals)
    assert [from_cache(job) for job in ended] == [True] * 3
    done = (await system.job(first))["completed_at"]
    assert all(job["processing_started_at"] >= done for job in ended), "each waited for the first one"


async def test_a_job_runs_if_its_equal_is_cancelled_or_fails(system: System, site: Website, tmp_path: Path) -> None:
    held = held_pdf(site, tmp_path)
    asked = {"job_type": "pdf", "url": held.url, "use_cache": True}
    first = await system.create(**asked)
    await system.wait_for_status(first, "processing")
    second = await system.create(**asked)
    await system.post(f"/api/jobs/{first}/cancel", {})
    held.release()
    job = await system.wait_for_end(second)
    assert (job["status"], from_cache(job)) == ("completed", False)

    failing = work(1) | {"behaviour": "fail", "error_code": "INVALID_PDF"}
    jobs = [await system.create(**failing) for _ in range(2)]
    assert [job["status"] for job in await system.wait_for_all(jobs)] == ["failed", "failed"]


async def test_equal_members_of_a_batch_run_once(system: System) -> None:
    asked = work(0.5)
    batch = await system.create_batch(6, **asked)
    jobs = await system.wait_for_all([member["job_id"] for member in batch["jobs"]])
    assert sorted(from_cache(job) for job in jobs) == [False] + [True] * 5


async def test_an_erased_job_is_not_a_cache_source_and_its_copies_stay(system: System) -> None:
    source = str(pdf(system.files / f"{uuid4().hex}.pdf", pages=1))
    first = await run(system, "pdf", filename=source, include_images=True)
    copied = await run(system, "pdf", filename=source, include_images=True)
    assert from_cache(copied)
    reply = await system.client.delete(f"/api/jobs/{first['job_id']}")
    assert reply.status_code in (200, 202), reply.text
    await wait_until(lambda: not Path(first["results"]["target_dir"]).exists(), 20, "the blobs to be gone")
    assert not from_cache(await run(system, "pdf", filename=source, include_images=True))
    again = await system.job(copied["job_id"])
    assert all(contents(again["results"]))
