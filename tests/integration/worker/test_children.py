"""Child processes for real: they work, fail, crash, hang, swallow memory, are cancelled, and are replaced."""

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager

import psutil
import pytest
from pydantic_core import to_json

from piperoll.settings import Settings
from piperoll.store.blobs import Blobs
from schemas.claims import Claim
from schemas.documents import ResolvedFolder, ResolvedText, parameters_document
from schemas.errors import ErrorCode
from schemas.ids import draw_job_id, draw_run
from services.worker.children.pool import ChildPool, PoolStoppedError
from services.worker.children.protocol import Assignment, Completed, Failed
from services.worker.children.scratch import ScratchFolder
from services.worker.pages.mupdf import pymupdf
from tests.support.files.pdf import held_pdf
from tests.support.files.voice import SENTENCE, says
from tests.support.waiting import PATIENCE_S, wait_until


@asynccontextmanager
async def running_pool(tmp_path, size=1, **changed):
    settings = Settings(
        blob_url=f"file://{tmp_path}/blobs",
        work_dir=str(tmp_path / "work"),
        files_roots=str(tmp_path),
        allow_private_networks="127.0.0.0/8",
        **{"job_memory_bytes": 512 * 1024**2, **changed},
    )
    pool = ChildPool(settings, size)
    await pool.start()
    try:
        yield pool
    finally:
        await pool.stop()
    assert list((tmp_path / "work").iterdir()) == []


def assignment(tmp_path, job_type="noop", timeout_s=PATIENCE_S, attempt=1, **parameters):
    document = json.dumps({"job_type": job_type, "parameters": parameters}).encode()
    claim = Blobs(f"file://{tmp_path}/blobs").put("inputs", document)
    return Assignment(
        job_id=draw_job_id(),
        run=draw_run(),
        owner="owner",
        job_type=job_type,
        parameters=claim,
        attempt=attempt,
        timeout_s=timeout_s,
    )


def ignore(progress):
    pass


def children():
    """The living child processes of this one that are children of a pool, by process id."""
    found = {}
    for process in psutil.Process().children():
        try:
            if "services.worker.children.main" in process.cmdline():
                found[process.pid] = process
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


async def until(condition, what):
    await wait_until(condition, PATIENCE_S, what)


@pytest.fixture
def held(site, tmp_path):
    """A document on a web site that is sent only when the test releases it."""
    page = held_pdf(site, tmp_path)
    yield page
    page.release()


async def started_on(pool, tmp_path, held):
    """A task that runs a job on the held document: it completes after the release, and not before."""
    return await started(pool, assignment(tmp_path, "pdf", url=held.url))


async def started(pool, given):
    """A task that runs the assignment, as soon as its child has reported progress."""
    progressed = asyncio.Event()
    task = asyncio.create_task(pool.run(given, lambda progress: progressed.set()))
    async with asyncio.timeout(PATIENCE_S):
        await progressed.wait()
    return task


# --- work ---------------------------------------------------------------------------------------------------


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


# --- failures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "code", "retryable", "words"),
    [
        ({"behaviour": "fail"}, ErrorCode.PROCESSING_ERROR, False, "told to fail"),
        ({"behaviour": "fail", "error_code": "STORAGE_ERROR"}, ErrorCode.STORAGE_ERROR, True, "told to fail"),
        ({"behaviour": "fail", "error_code": "ODD"}, ErrorCode.PROCESSING_ERROR, False, "'ODD' is none of"),
        ({"behaviour": "crash"}, ErrorCode.PROCESSOR_CRASHED, True, "SIGSEGV"),
        ({"behaviour": "allocate"}, ErrorCode.OUT_OF_MEMORY, True, "memory"),
        ({"behaviour": "loop"}, ErrorCode.PROCESSING_TIMEOUT, True, "longer than the 0.5 seconds"),
    ],
    ids=["failure", "failure that may pass", "unknown code", "crash", "memory", "endless loop"],
)
async def test_a_bad_end_is_an_outcome_and_the_next_job_runs(tmp_path, asked, code, retryable, words):
    given = assignment(tmp_path, timeout_s=0.5 if asked["behaviour"] == "loop" else PATIENCE_S, **asked)
    async with running_pool(tmp_path) as pool:
        outcome = await pool.run(given, ignore)
        assert isinstance(outcome, Failed)
        assert (outcome.code, outcome.retryable) == (code, retryable)
        assert words in outcome.message
        assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)
        assert pool.problem() is None


async def test_a_run_that_makes_no_progress_is_ended(tmp_path):
    async with running_pool(tmp_path, stall_timeout_s=3) as pool:
        outcome = await pool.run(assignment(tmp_path, behaviour="loop"), ignore)
        slow = await pool.run(assignment(tmp_path, sleep_s=4, steps=80), ignore)
    assert isinstance(outcome, Failed)
    assert outcome.code is ErrorCode.PROCESSING_TIMEOUT
    assert "no progress for 3 seconds" in outcome.message
    assert isinstance(slow, Completed)


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


# --- killing and replacing ------------------------------------------------------------------------------------


async def test_cancelling_a_run_kills_its_child_and_waits_for_the_exit(tmp_path):
    async with running_pool(tmp_path) as pool:
        (pid,) = children()
        task = await started(pool, assignment(tmp_path, sleep_s=600, steps=1000))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not psutil.pid_exists(pid)
        assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)
        assert pid not in children()


async def test_a_cancelled_wait_for_a_child_costs_no_child(tmp_path, held):
    async with running_pool(tmp_path) as pool:
        before = set(children())
        first = await started_on(pool, tmp_path, held)
        waiting = asyncio.create_task(pool.run(assignment(tmp_path), ignore))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        held.release()
        assert isinstance(await first, Completed)
        assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)
        assert set(children()) == before


async def test_a_child_is_replaced_after_so_many_jobs(tmp_path):
    async with running_pool(tmp_path, child_jobs=2) as pool:
        seen = []
        for _ in range(4):
            assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)
            seen.append(set(children()))
        await until(lambda: children().keys() - seen[0], "the first child was replaced")


async def test_an_idle_child_that_dies_is_replaced(tmp_path):
    async with running_pool(tmp_path) as pool:
        (pid,) = children()
        os.kill(pid, signal.SIGKILL)
        await until(lambda: children().keys() - {pid}, "another child is there")
        assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)


async def test_children_that_cannot_start_are_a_problem_and_not_a_busy_loop(tmp_path):
    settings = Settings(blob_url="nowhere://at-all", work_dir=str(tmp_path))
    pool = ChildPool(settings, 2)
    await pool.start()
    try:
        problem = pool.problem()
        assert problem
        assert "did not start" in problem
        assert "nowhere" in problem
        assert children() == {}
    finally:
        await pool.stop()


async def test_stopping_ends_runs_waiters_and_children(tmp_path):
    async with running_pool(tmp_path) as pool:
        busy = await started(pool, assignment(tmp_path, sleep_s=600, steps=1000))
        waiting = asyncio.create_task(pool.run(assignment(tmp_path), ignore))
        await asyncio.sleep(0)
        await pool.stop()
        assert children() == {}
        for task in (busy, waiting):
            with pytest.raises(PoolStoppedError):
                await task


async def test_children_hold_none_of_the_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("PIPEROLL_SEAL_KEYS", "")
    monkeypatch.setenv("PIPEROLL_KEY_PEPPER", "never to be seen")
    async with running_pool(tmp_path):
        (child,) = children().values()
        assert not [name for name in child.environ() if name.startswith("PIPEROLL_")]


async def test_children_die_with_a_worker_that_is_killed(tmp_path):
    script = f"""
import asyncio
from piperoll.settings import Settings
from services.worker.children.pool import ChildPool

async def main():
    pool = ChildPool(Settings(blob_url="file://{tmp_path}/blobs", work_dir="{tmp_path}/work"), 2)
    await pool.start()
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(PATIENCE_S):
        assert await worker.stdout.readline() == b"ready\n"
    orphans = psutil.Process(worker.pid).children()
    assert len(orphans) == 2
    worker.kill()
    await worker.wait()
    await until(lambda: not any(orphan.is_running() for orphan in orphans), "no child outlives its worker")
    left = list((tmp_path / "work").iterdir())
    assert len(left) == 1
    ScratchFolder(str(tmp_path / "work")).close()  # the next worker to start
    assert list((tmp_path / "work").iterdir()) == []


# --- the folder of runs in progress ------------------------------------------------------------------------------


async def test_what_a_killed_run_left_on_disk_is_removed(tmp_path):
    made = tmp_path / "work"
    async with running_pool(tmp_path) as pool:
        given = assignment(tmp_path, sleep_s=600, steps=1000)
        task = await started(pool, given)
        (work,) = made.iterdir()
        left = work / given.run
        left.mkdir()
        (left / "half").write_bytes(b"x")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: not left.exists(), "the run's folder is gone")


def test_a_living_workers_folder_is_left_alone(tmp_path):
    first = ScratchFolder(str(tmp_path))
    second = ScratchFolder(str(tmp_path))
    assert first.path.exists()
    assert second.path.exists()
    first.close()
    second.close()
    assert list(tmp_path.iterdir()) == []


# --- local models within the memory of a child ---------------------------------------------------------------


@pytest.mark.parametrize("job_type", ["transcription", "embedding"])
async def test_a_local_model_works_within_the_memory_of_a_child_and_a_second_time(tmp_path, job_type):
    asked = _recording(tmp_path) if job_type == "transcription" else _folder(tmp_path)
    async with running_pool(tmp_path, job_memory_bytes=2 * 1024**3) as pool:
        first = await pool.run(asked, ignore)
        second = await pool.run(asked.model_copy(update={"run": draw_run()}), ignore)
        (process,) = children().values()
        assert process.memory_info().rss < 700 * 1024**2
    assert isinstance(first, Completed), first
    assert isinstance(second, Completed), second
    assert (first.method, first.counts) == (second.method, second.counts)


async def test_a_local_model_that_gets_too_little_memory_ends_its_run_alone(tmp_path):
    async with running_pool(tmp_path, job_memory_bytes=512 * 1024**2) as pool:
        outcome = await pool.run(_recording(tmp_path), ignore)
        assert isinstance(outcome, Failed)
        assert outcome.code in (ErrorCode.OUT_OF_MEMORY, ErrorCode.PROCESSOR_CRASHED)
        assert outcome.retryable
        assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)


async def test_a_cancelled_transcription_leaves_no_recogniser_behind(tmp_path):
    async with running_pool(tmp_path, job_memory_bytes=2 * 1024**3) as pool:
        task = await started(pool, _recording(tmp_path, times=40))
        (child,) = children().values()
        await until(lambda: any(_recognises(one) for one in child.children()), "the recogniser is at work")
        (recogniser,) = child.children()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: not recogniser.is_running(), "the recogniser is gone")


def _recognises(process):
    try:
        return "services.worker.speech.process" in process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def _recording(tmp_path, times=1):
    (tmp_path / "talk.wav").write_bytes(says(*[SENTENCE] * times))
    return assignment(tmp_path, "transcription", filename=str(tmp_path / "talk.wav"), use_cache=False)


def _folder(tmp_path):
    """An embedding of one long document, as the API resolves it."""
    blobs = Blobs(f"file://{tmp_path}/blobs")
    text = " ".join(f"Sentence {number} speaks of soil." for number in range(400))
    claim = blobs.put("texts", json.dumps({"structured_data": {"extracted_text": text}}).encode())
    document = ResolvedText(document_id="doc-1", name="soil.txt", text=claim)
    folder = ResolvedFolder(folder_id="folder-1", name="F", chunk_size=500, documents=(document,))
    inputs = blobs.put("inputs", to_json(parameters_document("embedding", {"folder_id": "folder-1"}, folder)))
    return assignment(tmp_path, "embedding").model_copy(update={"parameters": inputs})
