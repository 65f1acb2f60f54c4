"""The `transcription` job as its users meet it: an uploaded recording, over HTTP, through the four services."""

from uuid import uuid4

import pytest

from tests.support.files.media import film, speech
from tests.support.servers.mistral import AUDIO, MistralServer, refused
from tests.support.servers.website import Website
from tests.support.stacks.system import Json, System


async def uploaded(system: System, name: str, content: bytes, media_type: str) -> str:
    """The `filename` of an upload."""
    reply = await system.client.post("/api/files", files={"file": (name, content, media_type)})
    assert reply.status_code == 200, reply.text
    return str(reply.json()["data"]["filename"])


async def transcribed(system: System, **asked: object) -> Json:
    job_id = await system.create("transcription", **{"use_cache": False, **asked})
    return await system.wait_for_end(job_id)


async def test_an_uploaded_recording_becomes_text(system: System, mistral: MistralServer) -> None:
    filename = await uploaded(system, "talk.wav", speech(seconds=2), "audio/wav")
    job = await transcribed(system, filename=filename, source_language="en")
    assert job["status"] == "completed", job.get("error")
    assert job["progress"]["percent"] == 100
    data = job["results"]["structured_data"]
    assert data["text"] == data["extracted_text"] == mistral.speech
    assert data["duration_s"] == pytest.approx(2, abs=0.1)
    assert data["metadata"]["file_name"] == "talk.wav"
    text = await system.client.get(job["results"]["asset_urls"][0])
    assert (text.status_code, text.text) == (200, f"{mistral.speech}\n")
    assert text.headers["content-type"].startswith("text/plain")


async def test_a_video_behind_a_url_becomes_text(system: System, site: Website, mistral: MistralServer) -> None:
    url = site.file(f"/{uuid4().hex}/talk.mp4", film(seconds=1), "video/mp4")
    job = await transcribed(system, url=url)
    assert job["status"] == "completed", job.get("error")
    assert job["results"]["structured_data"]["segments"] == [{"start": 0.0, "end": 1.0, "text": mistral.speech}]


async def test_a_busy_provider_is_retried(system: System, mistral: MistralServer) -> None:
    mistral.then(AUDIO, refused(429))
    filename = await uploaded(system, "again.wav", speech(seconds=1), "audio/wav")
    assert (await transcribed(system, filename=filename))["status"] == "completed"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("paper.pdf", b"%PDF-1.7", "UNSUPPORTED_FILE_TYPE"),
        ("noise.wav", b"no recording at all", "PROCESSING_ERROR"),
        ("silent.mp4", film(seconds=1, sound=False), "PROCESSING_ERROR"),
    ],
)
async def test_a_file_without_sound_fails_with_a_clear_code(
    system: System, name: str, content: bytes, code: str
) -> None:
    filename = await uploaded(system, name, content, "application/octet-stream")
    job = await transcribed(system, filename=filename)
    assert (job["status"], job["error"]["code"]) == ("failed", code)


async def test_two_sources_at_once_are_refused(system: System) -> None:
    body = {"job_type": "transcription", "parameters": {"filename": "/a.wav", "url": "https://example.com/a.wav"}}
    reply = await system.client.post("/api/jobs", json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "INVALID_PARAMETERS")
