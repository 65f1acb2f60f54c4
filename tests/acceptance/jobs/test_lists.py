"""Lists of jobs and of batches (docs/contract/secretary.md#batch). Spoken by HTTP alone."""

from typing import Any
from uuid import uuid4

import pytest

from tests.support.clients.jobs import ended, listed, noop, posted, refused, stranger
from tests.support.stacks.system import System
from tests.support.waiting import wait_until


async def test_a_list_shows_the_jobs_of_the_owner_at_once_and_newest_first(system: System) -> None:
    async with await stranger(system) as client:
        assert await listed(client) == {"total": 0, "jobs": []}
        ids = [(await posted(client, "/api/jobs/", noop(sleep_s=0.01 * n)))["job_id"] for n in range(5)]
        found = await listed(client)
        assert found["total"] == 5
        assert [job["job_id"] for job in found["jobs"]] == ids[::-1]
        newest = found["jobs"][0]
        assert {"job_id", "job_type", "status", "created_at", "updated_at", "parameters"} <= set(newest)
        assert newest["parameters"] == {"sleep_s": 0.04}
        assert {"results", "logs"}.isdisjoint(newest)
        page = await listed(client, "/api/jobs", limit=2, skip=1)
        assert (page["total"], [job["job_id"] for job in page["jobs"]]) == (5, [ids[3], ids[2]])
        assert await listed(client, skip=99) == {"total": 5, "jobs": []}


async def test_the_filters_of_a_list_combine(system: System) -> None:
    async with await stranger(system) as client:
        batch = await posted(client, "/api/jobs/batch", {"jobs": [noop(target_id="t"), noop(behaviour="fail")]})
        alone = (await posted(client, "/api/jobs/", noop("ann", target_id="t", sleep_s=3600)))["job_id"]
        first, second = batch["job_ids"]
        for job_id in (first, second):
            await ended(client, job_id)

        async def ids(**query: Any) -> set[str]:
            found = await listed(client, **query)
            assert found["total"] == len(found["jobs"])
            return {job["job_id"] for job in found["jobs"]}

        assert await ids(batch_id=batch["batch_id"]) == {first, second}
        assert await ids(target_id="t") == {first, alone}
        assert await ids(target_id="t", batch_id=batch["batch_id"]) == {first}
        assert await ids(user_id="ann") == {alone}
        assert await ids(status="failed") == {second}
        assert await ids(status="completed", job_type="noop") == {first}
        assert await ids(job_type="pdf") == set()
        assert (await client.post(f"/api/jobs/{alone}/cancel")).status_code == 200
        assert await ids(status="failed") == {second, alone}, "a cancelled job reads failed"
        mine = await client.get("/api/jobs/", headers={"X-User-ID": "ann"})
        assert [job["job_id"] for job in mine.json()["data"]["jobs"]] == [alone]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"status": "done"}, "INVALID_PARAMETERS"),
        ({"limit": "1001"}, "INVALID_PARAMETERS"),
        ({"limit": "-1"}, "INVALID_PARAMETERS"),
        ({"skip": "x"}, "INVALID_PARAMETERS"),
        ({"stauts": "failed"}, "INVALID_REQUEST"),
    ],
)
@pytest.mark.parametrize("path", ["/api/jobs/", "/api/jobs/batches"])
async def test_an_invalid_list_query_is_refused(system: System, path: str, query: dict[str, str], code: str) -> None:
    refused(await system.client.get(path, params=query), 400, code)


async def test_the_list_of_batches_counts_their_jobs(system: System) -> None:
    async with await stranger(system) as client:
        body = {"batch_name": "First", "jobs": [noop(), noop(behaviour="fail")]}
        first = await posted(client, "/api/jobs/batch", body)
        second = await posted(client, "/api/jobs/batch", {"jobs": [noop(sleep_s=3600)], "user_id": "ann"})
        for job_id in first["job_ids"]:
            await ended(client, job_id)
        found = await listed(client, "/api/jobs/batches")
        assert found["total"] == 2
        newest, oldest = found["batches"]
        assert (newest["batch_id"], oldest["batch_id"]) == (second["batch_id"], first["batch_id"])
        assert newest["batch_name"] == second["batch_id"]
        assert (oldest["batch_name"], oldest["status"]) == ("First", "completed")
        assert (oldest["job_count"], oldest["completed_count"], oldest["failed_count"]) == (2, 1, 1)
        whole = (await client.get(f"/api/jobs/batch/{first['batch_id']}")).json()["data"]
        assert {**oldest, "jobs": whole["jobs"]} == whole
        done = await listed(client, "/api/jobs/batches", status="completed")
        assert [batch["batch_id"] for batch in done["batches"]] == [first["batch_id"]]
        assert (await listed(client, "/api/jobs/batches", user_id="ann"))["total"] == 1
        assert (await listed(client, "/api/jobs/batches", archived="true"))["total"] == 0
        assert (await listed(client, "/api/jobs/batches", archived="false", limit=1))["total"] == 2
        assert (await client.post(f"/api/jobs/{second['job_ids'][0]}/cancel")).status_code == 200


async def found(system: System, q: str, **query: str) -> list[str]:
    reply = await system.client.get("/api/jobs/", params={"q": q, **query})
    assert reply.status_code == 200, reply.text
    assert set(reply.json()["data"]) == {"jobs"}
    return [job["job_id"] for job in reply.json()["data"]["jobs"]]


async def test_jobs_are_found_by_the_beginnings_of_words_of_their_names_and_texts(system: System) -> None:
    mark = uuid4().hex[:8]
    files = {"file": (f"Müller_{mark}.txt", f"The Exchequer of q{mark}.".encode())}
    stored = (await system.client.post("/api/files", files=files)).json()["data"]["filename"]
    job_id = await system.create("extraction", filename=stored)
    other = await system.create("noop", target_id=f"case-{mark}")
    await system.wait_for_all([job_id, other])
    await wait_until(lambda: holds(system, f"q{mark}", [job_id]), 30, "the text of a job can be searched")
    for asked, expected in [
        (f"muller {mark}", [job_id]),
        (f"EXCH {mark[:6]}", [job_id]),
        (f"case-{mark}", [other]),
        (mark, [other, job_id]),
        (job_id[:20], [job_id]),
        (f"{mark} nowhere", []),
        ("…", []),
    ]:
        assert await found(system, asked) == expected, asked
    assert await found(system, mark, limit="1") == [other]
    assert await found(system, mark, limit="1", after=other) == [job_id]
    assert await found(system, mark, job_type="extraction") == [job_id]
    counts = (await system.client.get("/api/jobs/counts", params={"q": mark})).json()["data"]
    assert counts == {"total": 2, "pending": 0, "processing": 0, "completed": 2, "failed": 0}
    async with system.client_of(f"other-{mark}") as stranger:
        assert (await stranger.get("/api/jobs/", params={"q": mark})).json()["data"] == {"jobs": []}
    await system.client.delete(f"/api/jobs/{job_id}")
    assert await found(system, f"q{mark}") == []


async def holds(system: System, q: str, expected: list[str]) -> bool:
    return await found(system, q) == expected
