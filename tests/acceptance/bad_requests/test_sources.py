"""What a bad source gets: a code and a sentence, and never a result that is called complete.
See docs/contract/secretary.md#codes.

Sources are what a job names: a file, an address, a template. What is wrong with a request itself is in test_bad_input.
"""

import socket
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.support.files.pdf import DOCX, pdf, zip_bomb
from tests.support.servers.website import Website
from tests.support.stacks.system import Json, System

GIB = 1024**3
HTML = b"<!doctype html><title>Login</title><p>Please sign in.</p>"
PDF = "application/pdf"


def closed_port() -> int:
    """A closed port of this machine."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def away(site: Website, path: str) -> str:
    """An address that leads on to a private one."""
    return site.redirect(path, "http://10.0.0.1/internal.pdf")


async def failed(system: System, job_type: str, **parameters: Any) -> Json:
    """The error of a job that failed: a sentence, nothing made, nothing to download."""
    known = {"use_cache": False, "max_attempts": 1}
    job = await system.wait_for_end(await system.create(job_type, **(known | parameters)))
    assert job["status"] == "failed", job
    assert "results" not in job
    error = dict(job["error"])
    assert set(error) == {"code", "message", "details"}
    assert len(error["message"].split()) >= 4, "a sentence that a person understands"
    assert error["message"].endswith(".")
    assert "Traceback" not in str(job)
    archive = await system.client.get(f"/api/jobs/{job['job_id']}/download-archive")
    assert (archive.status_code, archive.json()["error"]["code"]) == (400, "NO_ARCHIVE")
    return error


ADDRESSES: dict[str, tuple[Callable[[Website, str], str], str]] = {
    "nothing there": (lambda site, path: site.url(path), "URL_NOT_FOUND"),
    "an error there": (lambda site, path: site.status(path, 500), "HTTP_ERROR"),
    "a closed port": (lambda site, path: f"http://127.0.0.1:{closed_port()}{path}", "NETWORK_ERROR"),
    "no such name": (lambda site, path: f"http://nowhere.invalid{path}", "NETWORK_ERROR"),
    "hangs up": (lambda site, path: site.gone(path), "NETWORK_ERROR"),
    "breaks off": (lambda site, path: site.cut(path), "NETWORK_ERROR"),
    "a private address behind it": (away, "BLOCKED_ADDRESS"),
    "a redirect to itself": (lambda site, path: site.redirect(path, path), "HTTP_ERROR"),
    "a page": (lambda site, path: site.file(path, HTML, PDF), "INVALID_PDF"),
    "an HTML page": (lambda site, path: site.file(path, HTML, "text/html"), "INVALID_PDF"),
    "a gibibyte": (lambda site, path: site.endless(path, GIB), "FILE_TOO_LARGE"),
    "an announced gibibyte": (lambda site, path: site.announced(path, GIB), "FILE_TOO_LARGE"),
    "a little that inflates": (lambda site, path: site.bomb(path), "FILE_TOO_LARGE"),
    "a zip bomb": (lambda site, path: site.file(path, zip_bomb(), DOCX), "INVALID_PDF"),
}
"""What an address leads to, and the code of a `pdf` job that reads from it."""


@pytest.mark.parametrize("kind", ADDRESSES)
async def test_a_url_that_is_not_a_pdf_fails_its_job(system: System, site: Website, kind: str) -> None:
    make, code = ADDRESSES[kind]
    url = make(site, f"/bad/{uuid4().hex}.pdf")
    assert (await failed(system, "pdf", url=url))["code"] == code


@pytest.mark.parametrize("job_type", ["pdf", "transformer", "session"])
async def test_a_private_address_is_refused(system: System, job_type: str) -> None:
    needed = {
        "pdf": {},
        "transformer": {"template": "Summary"},
        "session": {"event": "e", "session": "s", "track": "t", "filename": "f.md"},
    }
    parameters = {"url": "http://192.168.0.1/a.pdf", **needed[job_type]}
    reply = await system.client.post("/api/jobs/", json={"job_type": job_type, "parameters": parameters})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "BLOCKED_ADDRESS")


async def test_a_zip_bomb_named_docx_is_not_a_pdf(system: System) -> None:
    path = system.files / f"{uuid4().hex}.docx"
    path.write_bytes(zip_bomb())
    assert (await failed(system, "pdf", filename=str(path)))["code"] == "INVALID_PDF"


async def test_a_session_completes_without_an_attachment_that_is_a_zip_bomb(system: System, site: Website) -> None:
    given = {"event": "Soil Days", "session": "Talk", "track": "Main", "filename": f"{uuid4().hex}.md"}
    page = site.page("/bad/talk", "On living soil", "A spoon of soil holds more beings than people live on earth.")
    slides = site.file("/bad/slides.docx", zip_bomb(), DOCX)
    job_id = await system.create("session", **given, url=page, attachments_url=slides, use_cache=False)
    job = await system.wait_for_end(job_id)
    assert (job["status"], job["results"]["attachments"]) == ("completed", [])
    assert any("The attachment cannot be read" in entry["message"] for entry in job["logs"])


@pytest.mark.parametrize(
    ("pages", "asked"), [(2, {"page_start": 3}), (2, {"page_start": 7, "page_end": 9})], ids=["behind it", "far behind"]
)
async def test_a_page_range_outside_the_document_fails_its_job(system: System, pages: int, asked: Json) -> None:
    path = pdf(system.files / f"{uuid4().hex}.pdf", pages)
    error = await failed(system, "pdf", filename=str(path), **asked)
    assert error["code"] == "PAGE_RANGE_INVALID"
    assert "ends with page 2" in error["message"]


@pytest.mark.parametrize("job_type", ["pdf", "transformer"])
async def test_an_unknown_template_fails_its_job_with_the_known_ones(system: System, job_type: str) -> None:
    path = pdf(system.files / f"{uuid4().hex}.pdf")
    source = {"pdf": {"filename": str(path)}, "transformer": {"text": "x"}}[job_type]
    error = await failed(system, job_type, template="NoSuchTemplate", **source)
    assert error["code"] == "TEMPLATE_ERROR"
    assert "MeetingMinutes" in error["message"]


@pytest.mark.parametrize("content", ["---\nnever closed", "{{summary|with } in it}}", "{{sum mary|x}}"])
async def test_a_broken_template_fails_its_job(system: System, content: str) -> None:
    error = await failed(system, "transformer", text="x", template_content=content)
    assert (error["code"], error["details"]["error_type"]) == ("TEMPLATE_ERROR", "TemplateReadError")


@pytest.mark.parametrize("name", ["../MeetingMinutes", "/etc/passwd", "a\\b", "Session.md", "MeetingMinutes\n"])
@pytest.mark.parametrize("job_type", ["pdf", "transformer"])
async def test_a_template_name_with_a_path_is_refused(system: System, job_type: str, name: str) -> None:
    source = {"pdf": {"filename": str(system.files / "a.pdf")}, "transformer": {"text": "x"}}[job_type]
    body = {"job_type": job_type, "parameters": {**source, "template": name}}
    reply = await system.client.post("/api/jobs/", json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "INVALID_PARAMETERS")
    (field,) = reply.json()["error"]["details"]["fields"]
    assert field["field"] == "template"
    assert "without folder or ending" in field["message"]


async def test_a_file_with_another_hash_fails_its_job(system: System) -> None:
    path = pdf(system.files / f"{uuid4().hex}.pdf")
    error = await failed(system, "pdf", filename=str(path), file_hash="0" * 64)
    assert (error["code"], error["details"]["error_type"]) == ("INVALID_PARAMETERS", "FileHashMismatch")
