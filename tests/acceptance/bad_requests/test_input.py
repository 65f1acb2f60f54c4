"""What bad input gets: a clear code, nothing created, nobody harmed (contract 2b and 16)."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.files.pdf import held_pdf, pdf
from tests.support.servers.website import Website
from tests.support.stacks.system import System

PRIVATE = [
    "http://10.0.0.1/hook",
    "http://192.168.1.1/hook",
    "http://169.254.169.254/latest/meta-data",
    "http://[::ffff:10.0.0.1]/hook",
    "http://[64:ff9b::a00:1]/hook",
    "http://167772161/hook",
    "http://0x0a000001/hook",
    "http://012.0.0.1/hook",
]


async def refused(system: System, status: int, code: str, **request: Any) -> dict[str, Any]:
    """POSTs to /api/jobs/ and answers the error of the refusal."""
    reply = await system.client.post("/api/jobs/", **request)
    assert reply.status_code == status, reply.text
    assert set(reply.json()) == {"status", "error"}
    error = dict(reply.json()["error"])
    assert set(error) == {"code", "message", "details"}
    assert error["code"] == code, error
    return error


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b'{"job_type": "noop"}',
        b'{"job_type": "", "parameters": {}}',
        b'{"job_type": "noop", "parameters": []}',
        b'{"parameters": {}}',
        b'{"job_type": "noop", "parameters": {"sleep_s": NaN}}',
        b'{"job_type": "noop", "parameters": {"target_id": "\xff"}}',
        b'{"job_type": "noop", "parameters": {"target_id": "a\\u0000b"}}',
        b'{"job_type": "noop", "parameters": {"target_id": "\\ud800"}}',
        b"[" * 100_000,
    ],
)
async def test_a_malformed_body_is_an_invalid_request(system: System, content: bytes) -> None:
    reply = await system.client.post("/api/jobs/", content=content, headers={"Content-Type": "application/json"})
    assert reply.status_code == 400, reply.text
    assert reply.json()["error"]["code"] in ("INVALID_REQUEST", "INVALID_PARAMETERS")
    assert reply.json()["error"]["message"]


async def test_an_unknown_job_type_names_the_supported_ones(system: System) -> None:
    error = await refused(system, 400, "UNKNOWN_JOB_TYPE", json={"job_type": "video", "parameters": {}})
    assert "pdf" in error["details"]["supported"]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"filename": "/a.pdf", "url": "https://example.com/a.pdf"},
        {"url": "ftp://example.com/a.pdf"},
        {"filename": 7},
        {"filename": True},
        {"filename": "a.pdf", "extraction_method": "magic"},
        {"filename": "a.pdf", "template": "../MeetingMinutes"},
        {"filename": "a.pdf", "page_start": 0},
        {"filename": "a.pdf", "page_start": True},
        {"filename": "a.pdf", "page_start": "1"},
        {"filename": "a.pdf", "page_start": 3, "page_end": 2},
        {"filename": "a.pdf", "priority": 10},
        {"filename": "a.pdf", "priority": False},
        {"filename": "a.pdf", "timeout_s": 0},
        {"filename": "a.pdf", "webhook": {}},
        {"filename": "a.pdf", "webhook": {"token": "t"}},
        {"filename": "a.pdf", "webhook": {"url": "ftp://example.com/hook"}},
        {"filename": "a.pdf", "webhook": {"url": "file:///etc/passwd"}},
        {"filename": "a.pdf", "webhook": {"url": "not a url"}},
        {"filename": "a.pdf", "no_such_parameter": 1},
    ],
)
async def test_wrong_parameters_name_their_fields(system: System, parameters: dict[str, Any]) -> None:
    if parameters.get("filename") in ("a.pdf", "/a.pdf"):
        parameters = {**parameters, "filename": str(system.files / "a.pdf")}
    error = await refused(system, 400, "INVALID_PARAMETERS", json={"job_type": "pdf", "parameters": parameters})
    assert error["details"]["fields"]


@pytest.mark.parametrize("name", ["/etc/passwd", "{root}/../secret.pdf", "relative.pdf", "{root}\\..\\secret.pdf"])
async def test_a_file_outside_the_roots_is_refused_and_the_message_names_the_setting(system: System, name: str) -> None:
    parameters = {"filename": name.replace("{root}", str(system.files))}
    error = await refused(system, 400, "INVALID_PARAMETERS", json={"job_type": "pdf", "parameters": parameters})
    assert "PIPEROLL_FILES_ROOTS" in f"{error}"


@pytest.mark.parametrize("url", PRIVATE)
async def test_a_hook_to_a_literal_private_address_makes_no_job(system: System, url: str) -> None:
    body = {"job_type": "noop", "parameters": {"webhook": {"url": url}}}
    await refused(system, 400, "BLOCKED_ADDRESS", json=body)


async def test_one_bad_job_refuses_the_whole_batch_and_is_named(system: System) -> None:
    jobs = [{"job_type": "noop", "parameters": {}}, {"job_type": "nonsense", "parameters": {}}]
    reply = await system.client.post("/api/jobs/batch", json={"jobs": jobs})
    assert reply.status_code == 400
    assert reply.json()["error"]["details"]["index"] == 1


@pytest.mark.parametrize("body", [{}, {"jobs": []}, {"jobs": {}}, {"jobs": [7]}])
async def test_a_batch_without_jobs_is_refused(system: System, body: dict[str, Any]) -> None:
    reply = await system.client.post("/api/jobs/batch", json=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "INVALID_REQUEST"


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic abc"}])
async def test_no_key_or_a_wrong_one_is_unauthorised(system: System, header: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=system.stack.api_url, headers=header) as stranger:
        for reply in (
            await stranger.post("/api/jobs/", json={"job_type": "noop", "parameters": {}}),
            await stranger.get("/api/jobs/job-1"),
        ):
            assert reply.status_code == 401
            assert reply.json()["error"]["code"] == "UNAUTHORIZED"


async def test_a_body_over_the_limit_is_too_large(system: System) -> None:
    body = {"job_type": "noop", "parameters": {"target_id": "x" * (11 * 1024 * 1024)}}
    await refused(system, 413, "BODY_TOO_LARGE", json=body)


@pytest.mark.parametrize("path", ["/api/jobs/job-unknown", "/api/jobs/batch/batch-unknown"])
async def test_what_is_not_there_is_not_found(system: System, path: str) -> None:
    reply = await system.client.get(path)
    assert reply.status_code == 404
    assert reply.json()["error"]["message"] in ("job not found", "batch not found")


async def test_a_job_of_somebody_else_is_not_found(system: System) -> None:
    job_id = await system.create()
    other = await system.create_key("stranger")
    reply = await system.client.get(f"/api/jobs/{job_id}", headers={"Authorization": f"Bearer {other}"})
    assert reply.status_code == 404
    cancel = await system.client.post(f"/api/jobs/{job_id}/cancel", headers={"Authorization": f"Bearer {other}"})
    assert cancel.status_code == 404


@pytest.mark.parametrize("wait", ["soon", "-1", "61", "nan", ""])
async def test_a_wait_that_is_no_number_up_to_60_is_refused(system: System, wait: str) -> None:
    job_id = await system.create()
    reply = await system.client.get(f"/api/jobs/{job_id}", params={"wait": wait})
    assert reply.status_code == 400, reply.text


async def test_a_wrong_content_type_is_refused(system: System) -> None:
    reply = await system.client.post(
        "/api/jobs/", content=b'{"job_type": "noop", "parameters": {}}', headers={"Content-Type": "text/plain"}
    )
    assert reply.status_code in (400, 415)


async def test_an_empty_upload_and_two_files_are_refused(system: System) -> None:
    empty = await system.client.post("/api/files", files={"file": ("empty.pdf", b"", "application/pdf")})
    assert empty.status_code == 400
    two = [("file", ("a.pdf", b"%PDF-", "application/pdf")), ("file", ("b.pdf", b"%PDF-", "application/pdf"))]
    assert (await system.client.post("/api/files", files=two)).status_code == 400
    none = await system.client.post("/api/files", files={"other": ("a.pdf", b"%PDF-", "application/pdf")})
    assert none.status_code == 400


def broken(folder: Path, kind: str) -> Path:
    """A file that cannot be processed, of each kind."""
    path = folder / f"{kind}.pdf"
    match kind:
        case "absent":
            pass
        case "html":
            path.write_text("<html><body>not a PDF</body></html>")
        case "empty":
            path.write_bytes(b"")
        case "noise":
            path.write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 40)
        case "encrypted":
            pdf(path, password="secret")
        case "link":
            outside = folder.parent / "outside.pdf"
            pdf(outside)
            path.unlink(missing_ok=True)
            path.symlink_to(outside)
        case "long":
            pdf(path, pages=501)
    return path


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("absent", "FILE_NOT_FOUND"),
        ("html", "INVALID_PDF"),
        ("empty", "INVALID_PDF"),
        ("noise", "INVALID_PDF"),
        ("encrypted", "PDF_ENCRYPTED"),
        ("link", "FILE_NOT_ALLOWED"),
        ("long", "TOO_MANY_PAGES"),
    ],
)
async def test_a_file_that_cannot_be_processed_fails_its_job_with_a_sentence(
    system: System, kind: str, code: str
) -> None:
    job = await system.wait_for_end(await system.create("pdf", filename=str(broken(system.files, kind))))
    assert job["status"] == "failed"
    assert job["error"]["code"] == code, job["error"]
    assert len(job["error"]["message"].split()) >= 4, "a sentence that a person understands"
    assert "Traceback" not in str(job)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"behaviour": "crash", "max_attempts": 2}, "PROCESSOR_CRASHED"),
        ({"behaviour": "loop", "timeout_s": 1, "max_attempts": 1}, "PROCESSING_TIMEOUT"),
        ({"behaviour": "allocate", "max_attempts": 1}, "OUT_OF_MEMORY"),
    ],
)
async def test_a_run_that_crashes_hangs_or_swells_ends_alone(
    system: System, site: Website, tmp_path: Path, parameters: dict[str, Any], code: str
) -> None:
    held = held_pdf(site, tmp_path)
    neighbour = await system.create("pdf", url=held.url)
    job = await system.wait_for_end(await system.create(**parameters))
    assert job["error"]["code"] == code, job["error"]
    held.release()
    assert (await system.wait_for_end(neighbour))["status"] == "completed"
    starts = [entry for entry in (await system.job(neighbour))["logs"] if entry["message"] == "Job started"]
    assert len(starts) == 1, "the neighbour noticed nothing"
