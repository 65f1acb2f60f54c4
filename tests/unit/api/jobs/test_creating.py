"""Jobs and batches are created over a log in memory: what is appended, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from schemas.events import BatchCreated, JobCreated
from schemas.topics import JOB_EVENTS
from tests.support.stacks.memory_api import NOOP, PARTITIONS, MemoryApi, error

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/"])
async def test_a_job_is_one_fact_and_its_parameters_are_a_blob(api: MemoryApi, path: str) -> None:
    hook = {"url": "https://example.com/hook", "token": "very-secret", "jobId": "mine"}
    parameters = {"webhook": hook, "priority": 7, "target_id": "t-1", "sleep_s": 0}
    reply = await api.client.post(path, json={"job_type": "noop", "parameters": parameters, "user_id": "u"})
    assert reply.status_code == 200
    assert set(reply.json()) == {"status", "data"}
    data = reply.json()["data"]
    assert set(data["job"]) == {"job_id", "job_type", "status", "created_at", "parameters"}
    assert data["job"]["parameters"] == {**parameters, "webhook": {**hook, "token": "***"}}
    [fact] = await api.facts()
    assert (fact.subject, fact.owner) == (data["job_id"], "local")
    assert isinstance(fact.data, JobCreated)
    assert (fact.data.priority, fact.data.target_id, fact.data.user_id, fact.data.has_webhook) == (7, "t-1", "u", True)
    stored = await api.document(fact.data.parameters)
    assert stored["job_type"] == "noop"
    sealed = stored["parameters"]["webhook"].pop("token")["sealed"]
    assert api.seal.open(sealed) == "very-secret"
    assert "very-secret" not in f"{stored} {fact}"
    record = (await api.log.end_offsets(JOB_EVENTS)).items()
    assert reply.headers["Piperoll-Position"] == next(f"{part}:{end - 1}" for part, end in record if end)


async def test_consecutive_jobs_go_to_different_partitions(api: MemoryApi) -> None:
    for _ in range(2 * PARTITIONS):
        await api.client.post("/api/jobs", json=NOOP)
    assert set((await api.log.end_offsets(JOB_EVENTS)).values()) == {2}


async def test_a_batch_is_one_fact(api: MemoryApi) -> None:
    hook = {"url": "https://example.com/hook", "token": "very-secret"}
    body = {"batch_name": "My Batch", "jobs": [NOOP, NOOP], "webhook": hook}
    reply = await api.client.post("/api/jobs/batch", json=body)
    data = reply.json()["data"]
    assert data["batch"]["status"] == "pending"
    assert data["batch"]["job_count"] == 2
    assert [job["job_id"] for job in data["batch"]["jobs"]] == data["job_ids"]
    [fact] = await api.facts()
    assert isinstance(fact.data, BatchCreated)
    assert fact.data.name is not None
    assert await api.document(fact.data.name) == "My Batch"
    specs = await api.document(fact.data.specs)
    assert all(api.seal.open(spec["parameters"]["webhook"]["token"]["sealed"]) == "very-secret" for spec in specs)
    assert all(spec["has_webhook"] for spec in specs)


async def test_a_batch_marks_each_upload_of_its_members_once_before_it_is_in_the_log(
    api: MemoryApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [f"file-{UUID(int=number)}" for number in (1, 2, 1)]
    jobs = [{"job_type": "pdf", "parameters": {"filename": f"upload://{one}/a.pdf"}} for one in files]
    marked: list[str] = []

    async def looked_at(*args: Any, **kwargs: Any) -> Any:
        marked.extend(await api.blobs.names("uses"))
        return await append(*args, **kwargs)

    append = api.log.append
    monkeypatch.setattr(api.log, "append", looked_at)
    reply = await api.client.post("/api/jobs/batch", json={"jobs": jobs})
    batch_id = reply.json()["data"]["batch"]["batch_id"]
    assert sorted(marked) == [f"uses/local/{one}/{batch_id}" for one in sorted(set(files))]


async def test_a_refused_batch_appends_nothing(api: MemoryApi) -> None:
    reply = await api.client.post("/api/jobs/batch", json={"jobs": [NOOP, {"job_type": "x", "parameters": {}}]})
    assert error(reply, 400)["details"]["index"] == 1
    assert await api.facts() == []


async def test_a_valid_trace_of_a_request_is_appended(api: MemoryApi) -> None:
    await api.client.post("/api/jobs", json=NOOP, headers={"traceparent": TRACE})
    await api.client.post("/api/jobs", json=NOOP, headers={"traceparent": "nonsense"})
    assert {fact.traceparent for fact in await api.facts()} == {TRACE, None}


async def test_a_repeated_key_is_accepted_unchecked_while_postgres_is_down(api: MemoryApi) -> None:
    headers = {"Idempotency-Key": "once"}
    replies = [await api.client.post("/api/jobs", json=NOOP, headers=headers) for _ in range(2)]
    assert {reply.headers["Piperoll-Idempotency"] for reply in replies} == {"unchecked"}
    assert len({reply.json()["data"]["job_id"] for reply in replies}) == 1
    facts = await api.facts()
    assert len({fact.id for fact in facts}) == 1, "a repeat is the same fact"
    assert all(isinstance(fact.data, JobCreated) and fact.data.unchecked for fact in facts)


async def test_a_batch_under_a_key_is_unchecked_while_postgres_is_down_and_what_has_no_key_never_is(
    api: MemoryApi,
) -> None:
    await api.client.post("/api/jobs/batch", json={"jobs": [NOOP]}, headers={"Idempotency-Key": "once"})
    await api.client.post("/api/jobs/batch", json={"jobs": [NOOP]})
    await api.client.post("/api/jobs", json=NOOP)
    marks = [fact.data.unchecked for fact in await api.facts() if isinstance(fact.data, JobCreated | BatchCreated)]
    assert sorted(marks) == [False, False, True]


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_an_empty_or_too_long_key_is_refused(api: MemoryApi, key: str) -> None:
    reply = await api.client.post("/api/jobs", json=NOOP, headers={"Idempotency-Key": key})
    assert error(reply, 400)["code"] == "INVALID_REQUEST"


async def test_an_internal_error_has_an_envelope_and_no_traceback(
    api: MemoryApi, tmp_path: Path, make_unreadable: Callable[[Path], None]
) -> None:
    make_unreadable(tmp_path / "blobs")
    reply = await api.client.post("/api/jobs", json=NOOP)
    assert error(reply, 503)["code"] == "STORAGE_ERROR"
    assert "Traceback" not in reply.text
    assert await api.facts() == []


@pytest.fixture
def make_unreadable() -> Callable[[Path], None]:
    """Puts a file where the blob store's folder was, which stops even root."""

    def replace(folder: Path) -> None:
        folder.rename(folder.with_suffix(".away"))
        folder.write_bytes(b"")

    return replace


@pytest.mark.parametrize(
    ("job_type", "parameters"),
    [
        ("extraction", {"document_id": "doc-1"}),
        ("transcription", {"document_id": "doc-1"}),
        ("generation", {"document_id": "doc-1", "prompt": "Sum it up."}),
        ("embedding", {"folder_id": "folder-1"}),
        ("sync", {"folder_id": "folder-1", "source": "file://{root}"}),
        ("import", {"folder_id": "folder-1", "items": [{"url": "https://example.com/a.pdf"}]}),
    ],
)
async def test_a_job_that_names_documents_is_refused_while_they_cannot_be_looked_up(
    api: MemoryApi, tmp_path: Path, job_type: str, parameters: dict[str, Any]
) -> None:
    if "source" in parameters:
        parameters = {**parameters, "source": parameters["source"].format(root=tmp_path)}
    job = {"job_type": job_type, "parameters": parameters}
    for path, body in (("/api/jobs", job), ("/api/jobs/batch", {"jobs": [NOOP, job]})):
        reply = await api.client.post(path, json=body)
        assert error(reply, 503)["code"] == "READ_MODEL_UNAVAILABLE"
        assert "Retry-After" in reply.headers
    assert await api.facts() == []


async def test_the_same_job_types_without_documents_need_kafka_and_blobs_only(api: MemoryApi) -> None:
    for job_type, parameters in (
        ("extraction", {"url": "https://example.com/a.pdf"}),
        ("generation", {"text": "A text.", "prompt": "Sum it up."}),
        ("import", {"items": [{"url": "https://example.com/a.pdf"}]}),
    ):
        reply = await api.client.post("/api/jobs", json={"job_type": job_type, "parameters": parameters})
        assert reply.status_code == 200, reply.text
