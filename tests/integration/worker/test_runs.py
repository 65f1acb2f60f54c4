"""Child processes run jobs: they work, fail, crash, hang and swallow memory."""

import asyncio
import json
import time

import pytest

from piperoll.store.blobs import Blobs
from schemas.claims import Claim
from schemas.errors import ErrorCode
from services.worker.children import deadline, process
from services.worker.children.protocol import Completed, Failed
from services.worker.children.usage import processor_seconds
from services.worker.pages.mupdf import pymupdf
from tests.support.children import assignment, children, ignore, running_pool, started_on
from tests.support.waiting import PATIENCE_S, wait_until


async def test_a_job_ends_with_its_result_in_the_blob_store(tmp_path):
    given = assignment(tmp_path, webhook={"url": "https://example.com/hook", "token": "sealed"})
    async with running_pool(tmp_path) as pool:
        outcome = await pool.run(given, ignore)
    assert isinstance(outcome, Completed)
    assert outcome.result.uri == f"{given.job_id}/{given.run}/result.json"
    document = json.loads(Blobs(f"file://{tmp_path}/blobs").get(outcome.result.uri))
    assert document.keys() == {"structured_data", "assets", "target_dir"}
    assert document["target_dir"] == f"{tmp_path}/blobs/{given.job_id}/{given.run}"


async def test_a_pdf_is_read_with_its_images_and_its_progress(tmp_path):
    with pymupdf.open() as made:
        for number in range(1, 4):
            made.new_page().insert_text((72, 72), f"Page {number}")
        made.save(tmp_path / "a.pdf")
    given = assignment(tmp_path, "pdf", filename=f"{tmp_path}/a.pdf", include_images=True)
    reports = []
    async with running_pool(tmp_path) as pool:
        outcome = await pool.run(given, reports.append)
    assert isinstance(outcome, Completed)
    assert (outcome.pages, outcome.assets) == (3, 3)
    assert outcome.bytes_in == (tmp_path / "a.pdf").stat().st_size
    document = json.loads((tmp_path / "blobs" / outcome.result.uri).read_text())
    assert "--- Seite 3 ---" in document["structured_data"]["extracted_text"]
    names = [f"{given.job_id}/{given.run}/images/page_00{number}.jpg" for number in (1, 2, 3)]
    assert document["assets"] == [f"{tmp_path}/blobs/{name}" for name in names]
    blobs = Blobs(f"file://{tmp_path}/blobs")
    assert all(blobs.get(name).startswith(b"\xff\xd8") for name in names)
    steps = list(dict.fromkeys(progress.step for progress in reports))
    assert steps == ["initializing", "reading_file", "extracting_text", "processing_images", "finalizing"]
    assert [progress.percent for progress in reports] == sorted(progress.percent for progress in reports)


async def test_more_runs_than_children_all_end(tmp_path):
    async with running_pool(tmp_path, size=2) as pool:
        outcomes = await asyncio.gather(*(pool.run(assignment(tmp_path), ignore) for _ in range(20)))
        assert {type(outcome) for outcome in outcomes} == {Completed}
        assert len(children()) == 2


@pytest.mark.parametrize(
    ("asked", "code", "retryable", "words"),
    [
        ({"behaviour": "fail"}, ErrorCode.PROCESSING_ERROR, False, "failed as requested"),
        ({"behaviour": "fail", "error_code": "STORAGE_ERROR"}, ErrorCode.STORAGE_ERROR, True, "failed as requested"),
        ({"behaviour": "fail", "error_code": "ODD"}, ErrorCode.PROCESSING_ERROR, False, "'ODD' must be one of"),
        ({"behaviour": "crash"}, ErrorCode.PROCESSOR_CRASHED, True, "SIGSEGV"),
        ({"behaviour": "allocate"}, ErrorCode.OUT_OF_MEMORY, True, "memory"),
        ({"behaviour": "loop"}, ErrorCode.PROCESSING_TIMEOUT, True, "longer than the 0.5 seconds"),
        ({"sleep_s": PATIENCE_S}, ErrorCode.PROCESSING_TIMEOUT, True, "longer than the 0.5 seconds"),
    ],
    ids=["failure", "failure that may pass", "unknown code", "crash", "memory", "endless loop", "endless wait"],
)
async def test_a_bad_end_is_an_outcome_and_the_next_job_runs(tmp_path, asked, code, retryable, words):
    given = assignment(tmp_path, timeout_s=0.5 if code is ErrorCode.PROCESSING_TIMEOUT else PATIENCE_S, **asked)
    async with running_pool(tmp_path) as pool:
        outcome = await pool.run(given, ignore)
        assert isinstance(outcome, Failed)
        assert (outcome.code, outcome.retryable) == (code, retryable)
        assert words in outcome.message
        assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)
        assert pool.problem() is None


async def test_an_upload_of_a_name_that_no_blob_can_have_does_not_exist(tmp_path):
    async with running_pool(tmp_path) as pool:
        for job_type in ("extraction", "pdf"):
            for name in ("x#1", "a" * 300, "ä" * 200, "a.txt"):
                outcome = await pool.run(assignment(tmp_path, job_type, filename=f"upload://file-1/{name}"), ignore)
                assert isinstance(outcome, Failed), (job_type, name)
                assert (outcome.code, outcome.retryable) == (ErrorCode.FILE_NOT_FOUND, False), (job_type, name)


async def test_a_run_that_makes_no_progress_is_ended(tmp_path):
    async with running_pool(tmp_path, stall_timeout_s=3) as pool:
        outcome = await pool.run(assignment(tmp_path, behaviour="loop"), ignore)
        slow = await pool.run(assignment(tmp_path, sleep_s=4, steps=80), ignore)
    assert isinstance(outcome, Failed)
    assert outcome.code is ErrorCode.PROCESSING_TIMEOUT
    assert "no progress for 3 seconds" in outcome.message
    assert isinstance(slow, Completed)


@pytest.mark.parametrize(("busy", "retryable"), [(1.0, False), (0.1, True)], ids=["computing", "waiting"])
async def test_a_run_that_only_computed_when_its_time_was_over_is_not_tried_again(
    tmp_path, monkeypatch, busy, retryable
):
    monkeypatch.setattr(deadline, "LEAST_BUSY_S", 0.1)
    monkeypatch.setattr(process, "processor_seconds", lambda pid: busy * time.monotonic())
    async with running_pool(tmp_path) as pool:
        outcome = await pool.run(assignment(tmp_path, behaviour="loop", timeout_s=1.0), ignore)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == (ErrorCode.PROCESSING_TIMEOUT, retryable)


async def test_the_processor_time_of_sandboxes_is_counted(tmp_path):
    async with running_pool(tmp_path) as pool:
        (child,) = pool._living
        before = processor_seconds(child.pid)
        run = asyncio.create_task(pool.run(assignment(tmp_path, behaviour="loop"), ignore))
        await wait_until(lambda: processor_seconds(child.pid) > before + 0.2, PATIENCE_S, "the run computes")
        run.cancel()
    assert processor_seconds(child.pid) == 0


async def test_a_hanging_run_does_not_disturb_its_neighbours(tmp_path, held):
    async with running_pool(tmp_path, size=2) as pool:
        neighbour = await started_on(pool, tmp_path, held)
        for behaviour in ("crash", "allocate", "crash"):
            assert isinstance(await pool.run(assignment(tmp_path, behaviour=behaviour), ignore), Failed)
        assert not neighbour.done()
        held.release()
        assert isinstance(await neighbour, Completed)


async def test_misbehaviour_ends_at_its_last_attempt(tmp_path):
    asked = {"behaviour": "crash", "until_attempt": 2}
    async with running_pool(tmp_path) as pool:
        first = await pool.run(assignment(tmp_path, attempt=1, **asked), ignore)
        second = await pool.run(assignment(tmp_path, attempt=2, **asked), ignore)
    assert isinstance(first, Failed)
    assert isinstance(second, Completed)


@pytest.mark.parametrize("what", ["erased", "changed", "of another release"])
async def test_parameters_that_cannot_be_used_are_named(tmp_path, what):
    given = assignment(tmp_path, **({"unheard_of": 1} if what == "of another release" else {}))
    if what == "erased":
        given = given.model_copy(update={"parameters": Claim(uri="job-x/in/gone", sha256="0", size=2)})
    elif what == "changed":
        (tmp_path / "blobs" / given.parameters.uri).write_bytes(b"{}")
    async with running_pool(tmp_path) as pool:
        outcome = await pool.run(given, ignore)
    assert isinstance(outcome, Failed)
    expected = {
        "erased": (ErrorCode.PROCESSING_ERROR, False, "erased"),
        "changed": (ErrorCode.STORAGE_ERROR, True, "blob store"),
        "of another release": (ErrorCode.PROCESSING_ERROR, False, "do not fit"),
    }
    code, retryable, words = expected[what]
    assert (outcome.code, outcome.retryable) == (code, retryable)
    assert words in outcome.message
