"""Bad input gets a clear code and creates nothing (docs/contract/secretary.md#validation, #codes)."""

from typing import Any

import pytest

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
async def test_a_file_outside_the_roots_is_refused_with_the_setting(system: System, name: str) -> None:
    parameters = {"filename": name.replace("{root}", str(system.files))}
    error = await refused(system, 400, "INVALID_PARAMETERS", json={"job_type": "pdf", "parameters": parameters})
    assert "PIPEROLL_FILES_ROOTS" in f"{error}"


@pytest.mark.parametrize("url", PRIVATE)
async def test_a_webhook_to_a_private_address_is_refused(system: System, url: str) -> None:
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


async def test_a_body_over_the_limit_is_too_large(system: System) -> None:
    body = {"job_type": "noop", "parameters": {"target_id": "x" * (11 * 1024 * 1024)}}
    await refused(system, 413, "BODY_TOO_LARGE", json=body)
