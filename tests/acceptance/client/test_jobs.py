"""Jobs and batches by the client."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from piperoll.client import (
    AsyncClient,
    AuthenticationError,
    Client,
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    JobFailedError,
    NotFoundError,
    NotReadyError,
    WaitTimeoutError,
)
from tests.support.files.pdf import pdf
from tests.support.stacks.system import System


async def test_a_pdf_from_the_upload_to_its_text_and_its_files(client: AsyncClient, tmp_path: Path) -> None:
    file = await client.upload(pdf(tmp_path / "a.pdf", pages=3))
    created = await client.jobs.create("pdf", filename=file.filename, include_images=True, use_cache=False)

    job = await client.jobs.wait(created.job_id, timeout=60, raise_on_failure=True)

    assert "This is page 2." in job.text
    assert job.progress is not None
    assert job.progress.percent == 100
    images = [await client.jobs.download(job.job_id, url, tmp_path) for url in job.asset_urls]
    assert len(images) == 3
    assert images[0].read_bytes() == await client.jobs.content(job.job_id, job.asset_urls[0])
    archive = await client.jobs.download_archive(job.job_id, tmp_path)
    assert archive.read_bytes().startswith(b"PK")
    facts = [fact async for fact in client.jobs.history(job.job_id)]
    assert [fact.sequence for fact in facts] == list(range(1, len(facts) + 1))
    assert facts[-1].type == "piperoll.JobCompleted.v1"


async def test_the_blocking_client_does_the_same(system: System, tmp_path: Path) -> None:
    def program() -> list[str]:
        with Client(system.stack.api_url, system.stack.api_key) as client:
            file = client.upload(pdf(tmp_path / "a.pdf").read_bytes(), name="a.pdf")
            job = client.jobs.create("pdf", filename=file.filename)
            names = [event.name for event in client.jobs.stream(job.job_id)]
            assert "This is page 1." in client.jobs.get(job.job_id).text
            return names

    assert (await asyncio.to_thread(program))[-1] == "completed"


async def test_the_same_key_creates_one_job(client: AsyncClient) -> None:
    key = uuid4().hex
    first, second = [await client.jobs.create("noop", idempotency_key=key) for _ in range(2)]

    assert first == second
    with pytest.raises(ConflictError, match="IDEMPOTENCY_CONFLICT"):
        await client.jobs.create("noop", {"steps": 2}, idempotency_key=key)


async def test_a_job_that_fails_is_an_error_when_asked(client: AsyncClient) -> None:
    file = await client.upload(b"no PDF", name="a.pdf")
    job = await client.jobs.create("pdf", filename=file.filename)

    assert (await client.jobs.wait(job.job_id)).status == "failed"
    with pytest.raises(JobFailedError, match="INVALID_PDF") as failed:
        await client.jobs.result(job.job_id)
    assert (failed.value.code, failed.value.job.job_id) == ("INVALID_PDF", job.job_id)


async def test_a_job_is_cancelled_restarted_and_erased(client: AsyncClient, tmp_path: Path) -> None:
    job = await client.jobs.create("noop", {"sleep_s": 600})
    with pytest.raises(WaitTimeoutError):
        await client.jobs.wait(job.job_id, timeout=0.2)
    with pytest.raises(ConflictError):
        await client.jobs.restart(job.job_id)
    with pytest.raises(NotReadyError):
        await client.jobs.download(job.job_id, "a.txt", tmp_path)

    assert (await client.jobs.cancel(job.job_id, reason="late")).cancelled
    assert (await client.jobs.cancel(job.job_id)).cancelled, "a repeat changes nothing"
    again = await client.jobs.restart(job.job_id)
    assert again.retry_of == job.job_id
    await client.jobs.erase(again.job_id)
    with pytest.raises(NotFoundError):
        await client.jobs.get(again.job_id)


async def test_jobs_are_listed_over_pages_with_filters(client: AsyncClient) -> None:
    target = uuid4().hex
    made = [(await client.jobs.create("noop", target_id=target)).job_id for _ in range(5)]

    listed = [job.job_id async for job in client.jobs.list(target_id=target, page=2)]

    assert listed == made[::-1]


async def test_a_batch_is_waited_for(client: AsyncClient) -> None:
    made = await client.batches.create([{"job_type": "noop", "parameters": {}}] * 3, name="Monday")

    done = await client.batches.wait(made.batch_id, timeout=60)

    assert (done.batch_name, done.completed_count, done.job_ids) == ("Monday", 3, made.job_ids)
    assert made.batch_id in {batch.batch_id async for batch in client.batches.list(page=50)}
    await client.batches.erase(made.batch_id)
    with pytest.raises(NotFoundError):
        await client.batches.get(made.batch_id)


async def test_errors_have_the_code_of_the_server(system: System, client: AsyncClient) -> None:
    with pytest.raises(InvalidRequestError, match="INVALID_PARAMETERS") as wrong:
        await client.jobs.create("pdf", {"extraction_method": "guessing"}, filename="a.pdf")
    assert "native" in wrong.value.details["supported"]["extraction_method"]
    with pytest.raises(NotFoundError):
        await client.jobs.get("job-unknown")
    async with AsyncClient(system.stack.api_url, "wrong") as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.limits()
        assert (await stranger.health()).ready
    async with AsyncClient(system.stack.api_url, await system.create_key("reader", "read")) as reader:
        with pytest.raises(ForbiddenError):
            await reader.jobs.create("noop")


async def test_a_job_is_estimated_before_and_has_an_eta_while_it_is_open(client: AsyncClient, tmp_path: Path) -> None:
    file = await client.upload(pdf(tmp_path / "a.pdf", pages=4))

    found = await client.jobs.estimate("pdf", filename=file.filename, page_end=3)

    assert (found.pages, found.pages_with_text, found.pages_without_text, found.problem) == (3, 3, 0, None)
    assert found.basis in ("measured", "similar", "none")
    assert (found.seconds is None) == (found.basis == "none")
    for job in [await client.jobs.create("noop") for _ in range(3)]:
        await client.jobs.wait(job.job_id)
    slow = await client.jobs.create("noop", {"sleep_s": 30, "steps": 30})
    async for job in client.jobs.watch(slow.job_id):
        if job.eta is not None and job.status == "processing":
            break
    assert job.eta is not None
    assert job.eta.seconds >= 0
    assert (await client.jobs.cancel(slow.job_id)).eta is None
