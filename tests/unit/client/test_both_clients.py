"""The blocking client and the one for asyncio: the same methods, the same requests, the same answers."""

import inspect
import json
from contextlib import suppress

import httpx
import pytest

from piperoll.client import Client, RetryPolicy, UnreachableError, blocking, concurrent
from piperoll.client.drivers.methods import AsyncIteration, AsyncMethod, Iteration, Method
from tests.support.clients.both import JOB, Both, success


def test_both_have_the_same_methods_from_the_same_scripts() -> None:
    twins = {Method: AsyncMethod, Iteration: AsyncIteration}
    names = [
        name for name, kind in vars(blocking).items() if inspect.isclass(kind) and kind.__module__ == blocking.__name__
    ]
    assert len(names) == 8
    for name in names:
        one, other = vars(vars(blocking)[name]), vars(vars(concurrent)[f"Async{name}"])
        scripts = {key: value for key, value in one.items() if isinstance(value, tuple(twins))}
        assert scripts
        for key, value in scripts.items():
            assert type(other[key]) is twins[type(value)], key
            assert other[key].script is value.script, key
        assert {key for key, value in other.items() if isinstance(value, tuple(twins.values()))} == scripts.keys()


def test_a_method_has_the_name_and_the_text_of_its_script() -> None:
    with Client("http://piperoll.test") as client:
        assert "Idempotency-Key" in (client.jobs.create.__doc__ or "")
        assert "wait" in inspect.signature(client.jobs.get).parameters


async def test_a_request_has_the_key_and_an_answer_is_an_object() -> None:
    both = Both(lambda _: success(JOB | {"new_field": 1}))

    job = await both.call("jobs.get", "job-1")

    assert (job.job_id, job.completed, job.model_extra) == ("job-1", True, {"new_field": 1})
    assert both.sent[0].headers["Authorization"] == "Bearer a-key"
    assert both.sent[0].url.path == "/api/jobs/job-1"


async def test_a_list_reads_page_after_page() -> None:
    ids = [f"job-{number}" for number in range(9, -1, -1)]

    def page(request: httpx.Request) -> httpx.Response:
        after, limit = request.url.params.get("after"), int(request.url.params["limit"])
        begin = 0 if after is None else ids.index(after) + 1
        return success({"jobs": [JOB | {"job_id": name} for name in ids[begin : begin + limit]]})

    both = Both(page)
    jobs = await both.call("jobs.list", status="completed", q="ledger", page=4)

    assert [job.job_id for job in jobs] == ids
    assert {(one.url.params["status"], one.url.params["q"]) for one in both.sent} == {("completed", "ledger")}


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "nowhere", "http://127.0.0.1:99999999", ""])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="HTTP URL"):
        Client(url)


@pytest.mark.parametrize("job_id", ["", "..", "../../etc", "a/b", "a\nb", "job-1?x=1", "job-1#a"])
async def test_an_id_never_leads_to_another_route(job_id: str) -> None:
    both = Both(lambda _: success(JOB))

    with suppress(ValueError):
        await both.call("jobs.get", job_id)

    for request in both.sent:
        assert request.url.path == f"/api/jobs/{job_id}"
        assert not request.url.query


def test_a_failure_of_the_transport_names_the_address() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    once = RetryPolicy(retry_for_s=0)
    client = Client("http://piperoll.test", retries=once, transport=httpx.MockTransport(refuse))
    with client, pytest.raises(UnreachableError, match=r"no API answers at http://piperoll\.test"):
        client.jobs.get("job-1")


async def test_a_batch_sends_its_jobs_at_once() -> None:
    batch = {"batch_id": "batch-1", "status": "pending", "jobs": [JOB], "job_count": 1}
    both = Both(lambda _: success({"batch_id": "batch-1", "batch": batch, "job_ids": ["job-1"]}))

    made = await both.call("batches.create", [{"job_type": "noop", "parameters": {}}], name="Monday")

    assert made.job_ids == ("job-1",)
    assert json.loads(both.sent[0].content)["batch_name"] == "Monday"


async def test_a_request_that_waits_at_the_api_has_so_much_longer() -> None:
    both = Both(lambda _: success(JOB))

    await both.call("jobs.get", "job-1", wait=30.0)

    await both.call("jobs.get", "job-1", wait=0.0000123)

    assert [one.extensions["timeout"]["read"] for one in both.sent[:2]] == [90.0, 90.0]
    assert both.sent[-1].url.params["wait"] == "0.000"
    assert both.sent[0].extensions["timeout"]["connect"] == 10.0
