"""The pages of a job are readable while it runs, in their order, also after its worker was killed."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.support.clients.pdf import fresh
from tests.support.files.pdf import long_pdf, pdf
from tests.support.servers.mistral import CHAT, MistralServer, completion
from tests.support.stacks.system import Json, System
from tests.support.waiting import PATIENCE_S, wait_until

PAGES = 12


@pytest.fixture
def slow_model(mistral: MistralServer) -> Iterator[MistralServer]:
    """A vision model whose answers take a while and differ."""
    answers = [replace(completion(f"answer {number} {uuid4().hex}"), delay_s=0.6) for number in range(3 * PAGES)]
    mistral.then(CHAT, *answers)
    yield mistral
    mistral.forget(CHAT)


async def pages_of(system: System, job_id: str, after: int = 0, limit: int = 1000) -> Json:
    reply = await system.client.get(f"/api/jobs/{job_id}/pages", params={"after": after, "limit": limit})
    assert reply.status_code == 200, reply.text
    return dict(reply.json()["data"])


async def until_readable(system: System, job_id: str, count: int) -> Json:
    """The answer about a running job once it has that many pages."""

    async def enough() -> Json | None:
        answer = await pages_of(system, job_id)
        assert not answer["complete"], "the job ended first"
        return answer if len(answer["pages"]) >= count else None

    found = await wait_until(enough, PATIENCE_S, f"{count} pages to be readable")
    assert found is not None
    return found


async def create(system: System, path: Any, **asked: Any) -> str:
    return await system.create("pdf", filename=str(path), use_cache=False, **asked)


async def test_a_client_that_follows_gets_each_page_of_a_long_document_once_and_in_order(system: System) -> None:
    path = fresh(system, "long")
    count = long_pdf(path, "words", least_s=6)
    job_id = await create(system, path)
    taken: list[Json] = []
    answers = []

    async def complete() -> bool:
        answers.append(await pages_of(system, job_id, taken[-1]["page"] if taken else 0))
        taken.extend(answers[-1]["pages"])
        return bool(answers[-1]["complete"])

    await wait_until(complete, PATIENCE_S, "all pages")
    assert sum(bool(one["pages"]) for one in answers if not one["complete"]) >= 2, "there are pages before the end"
    assert [page["page"] for page in taken] == list(range(1, count + 1))
    assert answers[-1]["pages_total"] == count
    job = await system.wait_for_end(job_id)
    contents = job["results"]["structured_data"]["metadata"]["text_contents"]
    assert [(page["page"], page["text"], page["method"]) for page in taken] == [
        (one["page"], one["text"], one["method"]) for one in contents
    ]
    assert (await pages_of(system, job_id, after=count))["complete"]


async def test_after_a_killed_worker_the_pages_that_were_readable_are_those_of_the_result(
    system: System, slow_model: MistralServer
) -> None:
    job_id = await create(system, pdf(fresh(system, "slow"), PAGES), extraction_method="llm")
    before = await until_readable(system, job_id, 4)
    assert (await system.job(job_id))["progress"]["readable"] >= 1
    await system.stack.kill("worker")
    assert (await pages_of(system, job_id))["pages"][: len(before["pages"])] == before["pages"]
    job = await system.wait_for_end(job_id, timeout=90)
    after = await pages_of(system, job_id)
    assert (job["status"], job["attempt"]) == ("completed", 2)
    assert (after["complete"], [page["page"] for page in after["pages"]]) == (True, list(range(1, PAGES + 1)))
    assert after["pages"][: len(before["pages"])] == before["pages"]
    assert after["run"] != before["run"]


async def test_after_the_end_no_record_is_left(system: System, slow_model: MistralServer) -> None:
    job_id = await create(system, pdf(fresh(system, "slow"), 4), extraction_method="llm")
    await until_readable(system, job_id, 2)
    assert (await system.wait_for_end(job_id))["status"] == "completed"
    folder = system.stack.data_dir / "blobs" / job_id / "pages"
    await wait_until(lambda: not list(folder.rglob("*.json")), PATIENCE_S, "the records to be deleted")
    assert [page["page"] for page in (await pages_of(system, job_id))["pages"]] == [1, 2, 3, 4]


async def test_the_picture_of_a_page_is_served_to_a_browser(system: System) -> None:
    job_id = await create(system, pdf(fresh(system, "drawn"), 2), extraction_method="preview_and_native")
    await system.wait_for_end(job_id)
    path = f"/api/jobs/{job_id}/pages/2/picture"
    reply = await system.client.get(f"{path}?width=1200")
    assert (reply.status_code, reply.headers["content-type"], reply.content[:2]) == (200, "image/jpeg", b"\xff\xd8")
    again = await system.client.get(path, headers={"If-None-Match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for missing in (f"/api/jobs/{job_id}/pages/3/picture", f"/api/jobs/job-{uuid4()}/pages/1/picture"):
        assert (await system.client.get(missing)).status_code == 404
    assert (await system.client.get(f"{path}?width=0")).status_code == 400


async def test_pages_of_a_foreign_an_erased_and_an_unknown_job_do_not_exist(system: System) -> None:
    job_id = await create(system, pdf(fresh(system, "short"), 2))
    await system.wait_for_end(job_id)
    path = f"/api/jobs/{job_id}/pages"
    async with system.client_of("stranger") as stranger:
        assert (await stranger.get(path)).status_code == 404
    assert (await system.client.get(path, headers={"Authorization": "Bearer wrong"})).status_code == 401
    for query in ("after=-1", "after=x", "limit=0", "limit=1001"):
        assert (await system.client.get(f"{path}?{query}")).status_code == 400
    assert (await system.client.delete(f"/api/jobs/{job_id}")).status_code in (200, 202)
    assert (await system.client.get(path)).status_code == 404
    assert (await system.client.get(f"/api/jobs/job-{uuid4()}/pages")).status_code == 404
