"""Page 1: a job. Read these files in the order of their numbers: together they are a tutorial of Piperoll.

Every test runs against the whole system: the four services over a real Kafka and a real Postgres. `system.client` is an
HTTP client with an API key; `system.files` is a folder from which jobs may read. `system.create()` creates a
`noop` job, whose parameters (`schemas/job_types/noop.py`) set how long it takes, and whether and how it fails.
"""

from uuid import uuid4

from tests.support.clients.sse import events
from tests.support.files.pdf import pdf
from tests.support.stacks.system import System


async def test_a_job_is_accepted_before_it_is_done(system: System) -> None:
    """POST answers as soon as the log has the fact `JobCreated`. No work is done in the request."""
    filename = str(pdf(system.files / "report.pdf", pages=2))
    body = {"job_type": "pdf", "parameters": {"filename": filename}}
    reply = await system.client.post("/api/jobs/", json=body)
    assert reply.status_code == 200
    assert reply.json()["status"] == "success"
    job = reply.json()["data"]["job"]
    assert job["job_id"].startswith("job-")
    assert job["status"] == "pending"


async def test_a_completed_job_shows_its_results(system: System) -> None:
    """`?wait=SECONDS` is a long poll: the answer comes when the status changes. `wait_for_end` asks until the end."""
    job_id = await system.create("pdf", filename=str(pdf(system.files / "report.pdf", pages=2)))
    reply = await system.client.get(f"/api/jobs/{job_id}", params={"wait": 1})
    assert reply.json()["data"]["job_id"] == job_id
    job = await system.wait_for_end(job_id)
    assert job["status"] == "completed"
    assert "This is page 2." in job["results"]["structured_data"]["extracted_text"]


async def test_a_job_is_a_sequence_of_facts(system: System) -> None:
    """The state of a job is a fold of its facts. Each has its position (`partition:offset`) in the Kafka topic."""
    job_id = await system.create(steps=4, sleep_s=0.4)
    await system.wait_for_end(job_id)
    reply = await system.client.get(f"/api/jobs/{job_id}/events")
    facts = reply.json()["data"]["events"]
    assert [fact["sequence"] for fact in facts] == list(range(1, len(facts) + 1))
    names = [fact["type"] for fact in facts]
    assert names[:2] == ["piperoll.JobCreated.v1", "piperoll.JobStarted.v1"]
    assert names[-1] == "piperoll.JobCompleted.v1"
    assert set(names[2:-1]) <= {"piperoll.JobProgress.v1"}, "steps that take no time are not reported"
    offsets = [int(fact["position"].partition(":")[2]) for fact in facts]
    assert offsets == sorted(offsets), "the order of the log is the order of the facts"


async def test_a_job_can_be_followed_while_it_runs(system: System) -> None:
    """A stream of server-sent events begins with the present state and ends with the job."""
    job_id = await system.create(steps=4, sleep_s=0.4)
    async with system.client.stream("GET", f"/api/jobs/{job_id}/stream") as reply:
        heard = [event async for event in events(reply)]
    assert {event.name for event in heard[:-1]} <= {"pending", "progress"}
    percents = [event.data["data"]["progress"] for event in heard if event.name == "progress"]
    assert percents == sorted(percents), "progress never goes back"
    assert heard[-1].name == "completed"


async def test_a_repeated_request_creates_no_second_job(system: System) -> None:
    """A client that got no answer repeats its request under the same `Idempotency-Key`."""
    body = {"job_type": "noop", "parameters": {}, "user_id": "ann"}
    once = {"Idempotency-Key": uuid4().hex}
    first = await system.client.post("/api/jobs/", json=body, headers=once)
    again = await system.client.post("/api/jobs/", json=body, headers=once)
    assert again.json()["data"]["job_id"] == first.json()["data"]["job_id"]

    other = await system.client.post("/api/jobs/", json={**body, "user_id": "bob"}, headers=once)
    assert other.status_code == 422, "the same key with another body is an error of the client"


async def test_a_failed_job_names_its_error(system: System) -> None:
    """An error in the input fails at once. An error that may pass, such as a crash, is retried with a delay."""
    filename = system.files / "broken.pdf"
    filename.write_bytes(b"This is not a PDF.")
    job = await system.wait_for_end(await system.create("pdf", filename=str(filename)))
    assert (job["status"], job["error"]["code"], job["attempt"]) == ("failed", "INVALID_PDF", 1)

    crashing = await system.wait_for_end(await system.create(behaviour="crash", until_attempt=2))
    assert (crashing["status"], crashing["attempt"]) == ("completed", 2)


async def test_a_job_can_be_cancelled(system: System) -> None:
    """The first terminal fact wins. To clients a cancelled job is a failed one with the code CANCELLED."""
    job_id = await system.create(sleep_s=3600)
    await system.wait_for_status(job_id, "processing")
    reply = await system.client.post(f"/api/jobs/{job_id}/cancel", json={"reason": "no_longer_needed"})
    assert reply.status_code == 200
    job = await system.wait_for_end(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", "CANCELLED")
    assert job["error"]["details"] == {"reason": "no_longer_needed"}
