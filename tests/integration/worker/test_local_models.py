"""Local models in child processes."""

import asyncio
import json

import psutil
import pytest
from pydantic_core import to_json

from piperoll.store.blobs import Blobs
from schemas.documents import ResolvedFolder, ResolvedText, parameters_document
from schemas.errors import ErrorCode
from schemas.ids import draw_run
from services.worker.children.protocol import Completed, Failed
from tests.support.children import assignment, children, ignore, running_pool, started, until
from tests.support.files.voice import SENTENCE, recording_of


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
        await until(lambda: any(map(_recognises, child.children(recursive=True))), "the recogniser is at work")
        (recogniser,) = filter(_recognises, child.children(recursive=True))
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
    (tmp_path / "talk.wav").write_bytes(recording_of(*[SENTENCE] * times))
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
