"""The `session` job through the API: a real page, a real film, a real PDF.
See docs/contract/secretary.md#session-parameters, #steps, #results, #webhooks, #archives, #session-run.

The site and the provider are local servers; everything else is the real system.
"""

import io
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.files.media import film
from tests.support.files.pdf import pdf
from tests.support.servers.mistral import AUDIO, MistralServer, refused
from tests.support.servers.website import Website
from tests.support.stacks.system import Json, System, is_final

STEPS = [
    "initializing",
    "fetching_page",
    "downloading_media",
    "processing_video",
    "processing_attachments",
    "generating_markdown",
]
MARKDOWN = "Bodentage/de/Hauptbühne/Vom lebenden Boden.md"
PREVIEWS = [f"Bodentage/assets/slides/preview_00{page}.jpg" for page in (1, 2, 3)]
NAMES = {"Soil Days": "Bodentage", "Main stage": "Hauptbühne", "On living soil": "Vom lebenden Boden"}


@pytest.fixture(scope="module", autouse=True)
def talk(system: System, site: Website) -> None:
    """The talk's page, film and slides."""
    site.page("/session/talk", "On living soil", "A spoon of soil holds more beings than people live on earth.")
    site.file("/session/talk.mp4", film(seconds=2), "video/mp4")
    site.file("/session/slides.pdf", pdf(system.files / "session.pdf", pages=3).read_bytes(), "application/pdf")


@pytest.fixture
async def speaking(mistral: MistralServer) -> AsyncIterator[MistralServer]:
    """The provider with words for this talk, and its own again afterwards."""
    fields, words, speech = mistral.fields, mistral.words, mistral.speech
    mistral.fields = {"title": "Vom lebenden Boden", "summary": "Der Boden lebt.", "topics": ["Boden"], "slides": []}
    mistral.words = lambda system, user: NAMES.get(user, user)
    mistral.speech = "Good morning\n everybody."
    yield mistral
    mistral.fields, mistral.words, mistral.speech = fields, words, speech


def session_of(site: Website, **changes: Any) -> Json:
    given = {
        "event": "Soil Days",
        "session": "On living soil",
        "url": site.url("/session/talk"),
        "filename": "On-living-soil.md",
        "track": "Main stage",
        "day": "2026-02-28",
        "starttime": "09:30",
        "endtime": "10:15",
        "speakers": ["Speaker one"],
        "video_url": site.url("/session/talk.mp4"),
        "attachments_url": site.url("/session/slides.pdf"),
        "source_language": "en",
        "target_language": "de",
    }
    return {**given, **changes}


async def test_a_session_becomes_markdown_previews_and_an_archive(
    system: System, site: Website, speaking: MistralServer
) -> None:
    hook = {"url": system.receiver.url(), "token": "secret", "jobId": "theirs"}
    job_id = await system.create("session", **session_of(site, webhook=hook, filename="On living soil.md"))
    job = await system.wait_for_end(job_id)
    assert job["status"] == "completed", job
    assert job["job_name"] == "Soil Days - Main stage - On living soil"
    results = job["results"]
    assert results["markdown_file"] == f"{results['target_dir']}/sessions/{MARKDOWN}"
    assert results["attachments"] == [f"{results['target_dir']}/sessions/{name}" for name in PREVIEWS]
    assert results["assets"] == results["attachments"]
    assert results["video_transcript"] == "Good morning everybody."
    assert results["structured_data"]["summary"] == "Der Boden lebt."
    assert [slide["page_num"] for slide in results["structured_data"]["slides"]] == [1, 2, 3]
    markdown = results["markdown_content"]
    assert markdown.startswith('---\ntitle: "Vom lebenden Boden"\n')
    assert f'<video src="{site.url("/session/talk.mp4")}"' in markdown
    assert "| ![3](../../assets/slides/preview_003.jpg) | **Page 3** — This is page 3. |" in markdown
    await _check_hooks(system, job_id, results)
    await _check_archive(system, job_id, markdown)
    await _check_files(system, job_id, markdown)


async def _check_hooks(system: System, job_id: str, results: Json) -> None:
    """docs/contract/secretary.md#steps, #webhooks: the steps in their order, one final hook with the documented
    data."""
    hooks = (await system.wait_for_final_hooks([job_id]))[job_id]
    progress = [hook for hook in hooks if not is_final(hook)]
    steps = list(dict.fromkeys(hook["step"] for hook in progress))
    assert steps == [step for step in STEPS if step in steps]
    percents = [hook["progress"] for hook in progress]
    assert percents == sorted(percents)
    (final,) = [hook for hook in hooks if is_final(hook)]
    assert (final["phase"], final["message"]) == ("completed", "Session processing completed")
    keys = ("markdown_file", "markdown_content", "attachments", "video_transcript", "target_dir")
    assert final["data"] == {key: results[key] for key in keys}
    assert final["job"] == {"id": "theirs"}


async def _check_archive(system: System, job_id: str, markdown: str) -> None:
    """docs/contract/secretary.md#archives: upstream's layout."""
    reply = await system.client.get(f"/api/jobs/{job_id}/download-archive")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/zip"
    assert 'filename="On living soil.zip"' in reply.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert archive.namelist() == ["README.md", MARKDOWN, *PREVIEWS]
        assert archive.read(MARKDOWN).decode() == markdown
        assert "Language: DE (from EN)" in archive.read("README.md").decode()


async def _check_files(system: System, job_id: str, markdown: str) -> None:
    """The kept files themselves, by their names."""
    file = await system.client.get(f"/api/jobs/{job_id}/files/sessions/{MARKDOWN}")
    assert (file.status_code, file.text) == (200, markdown)
    preview = await system.client.get(f"/api/jobs/{job_id}/files/sessions/{PREVIEWS[0]}")
    assert (preview.status_code, preview.headers["content-type"]) == (200, "image/jpeg")


async def test_a_session_completes_without_missing_parts_and_logs_them(
    system: System, site: Website, speaking: MistralServer
) -> None:
    speaking.then(AUDIO, refused(500))
    given = session_of(
        site, attachments_url=site.status("/session/gone.pdf", 404), use_cache=False, create_archive=False
    )
    job = await system.wait_for_end(await system.create("session", **given))
    assert job["status"] == "completed"
    assert job["results"]["video_transcript"] == ""
    assert job["results"]["attachments"] == []
    messages = " ".join(entry["message"] for entry in job["logs"])
    assert "The video was not transcribed" in messages
    assert "The attachment cannot be fetched" in messages
    reply = await system.client.get(f"/api/jobs/{job['job_id']}/download-archive")
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "NO_ARCHIVE")


@pytest.mark.parametrize("path", ["/session/no-such-page", "/session/away"])
async def test_a_session_without_its_page_fails_with_its_own_code(system: System, site: Website, path: str) -> None:
    site.redirect("/session/away", "http://169.254.169.254/talk")
    job = await system.wait_for_end(await system.create("session", **session_of(site, url=site.url(path))))
    assert (job["status"], job["error"]["code"]) == ("failed", "URL_FETCH_ERROR")
    assert "page cannot be fetched" in job["error"]["message"]
    assert "results" not in job


async def test_a_missing_template_falls_back_to_english(system: System, site: Website, speaking: MistralServer) -> None:
    given = session_of(site, template="NoSuch", video_url=None, attachments_url=None)
    job = await system.wait_for_end(await system.create("session", **given))
    assert job["status"] == "completed"
    assert "## Summary" in job["results"]["markdown_content"]


async def test_a_repeated_session_comes_from_the_cache(system: System, site: Website, speaking: MistralServer) -> None:
    given = session_of(site, video_url=None, track="Cache")
    first = await system.wait_for_end(await system.create("session", **given))
    asked = len(site.requests("/session/slides.pdf"))
    again = await system.wait_for_end(await system.create("session", **given))
    assert again["results"]["process"] == {"is_from_cache": True}
    assert again["results"]["markdown_content"] == first["results"]["markdown_content"]
    assert again["results"]["target_dir"] != first["results"]["target_dir"]
    assert again["results"]["markdown_file"].startswith(again["results"]["target_dir"])
    assert len(site.requests("/session/slides.pdf")) == asked + 1  # what it leads to is looked at; it may have changed
    archive = await system.client.get(f"/api/jobs/{again['job_id']}/download-archive")
    assert archive.status_code == 200


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"track": ""}, "track"), ({"url": "talk"}, "url"), ({"day": "tomorrow"}, "day"), ({"colour": "red"}, "colour")],
)
async def test_an_invalid_session_is_refused(system: System, site: Website, changes: Json, field: str) -> None:
    body = {"job_type": "session", "parameters": session_of(site, **changes)}
    reply = await system.client.post("/api/jobs/", json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "INVALID_PARAMETERS")
    assert field in str(reply.json()["error"]["details"]["fields"])
