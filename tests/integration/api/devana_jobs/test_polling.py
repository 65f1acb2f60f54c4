"""`GET /v1/jobs` over a real log, projector and Postgres: repeated, just after a write, and with bad input."""

import json

import asyncpg
import pytest

from schemas.devana import STATUSES
from tests.support.stacks.api import Api, refused, without_projector
from tests.support.stacks.devana_jobs import TYPES, complete, create, fail, ids, jobs


async def test_polling_reads_no_blob_again(api: Api, target: str) -> None:
    job_id = await create(api, parameters={"filename": "/a/report.pdf"}, target_id=target)
    await fail(api, job_id, "It is broken.")
    first = await jobs(api, targetId=target)
    api.blobs.delete_folder(job_id)  # what is remembered needs no blob
    assert await jobs(api, targetId=target) == first
    assert first[0]["metadata"]["fileName"] == "report.pdf"


async def test_missing_parameters_omit_the_metadata(api: Api, target: str) -> None:
    job_id = await create(api, "generation", {"template": "MeetingMinutes"}, target_id=target)
    api.blobs.delete_folder(job_id)
    (job,) = await jobs(api, targetId=target)
    assert "metadata" not in job


async def test_a_list_waits_for_recent_writes_for_a_limited_time(api: Api, target: str) -> None:
    job_id = await create(api, target_id=target)
    assert await ids(api, targetId=target) == [job_id]
    async with without_projector(api):
        await create(api, target_id=target)
        assert await ids(api, targetId=target) == [job_id]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "-5"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"offset": "1001"}, "offset"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "x"}, "offset"),
        ({"type": "UNKNOWN"}, "type"),
        ({"status": "EXTRACTION"}, "status"),
    ],
)
async def test_bad_input_is_refused_in_the_envelope_of_this_api(api: Api, query: dict[str, str], field: str) -> None:
    reply = await api.client.get("/v1/jobs", params=query)
    refused(reply, 400, "INVALID_PARAMETERS")
    assert reply.json()["success"] is False
    assert reply.json()["error"]["details"]["fields"][0]["field"] == field
    if field == "type":
        assert {*TYPES.values(), *STATUSES.values()} == set(reply.json()["error"]["details"]["supported"])


async def test_the_folded_state_keeps_what_the_metadata_needs(api: Api, target: str, pool: asyncpg.Pool) -> None:
    job_id = await create(api, "sync", target_id=target)
    await complete(api, job_id, method="walk", counts={"filesAdded": 2}, bytes_in=7)
    assert await ids(api, targetId=target, type="DONE") == [job_id]
    state = json.loads(await pool.fetchval("SELECT state FROM read_v1.jobs WHERE job_id = $1", job_id))
    assert (state["method"], state["counts"], state["bytes_in"]) == ("walk", {"filesAdded": 2}, 7)
