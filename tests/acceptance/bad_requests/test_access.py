"""Requests without a right, for what is not there, or of the wrong kind.
See docs/contract/secretary.md#validation, #codes."""

import httpx
import pytest

from tests.support.stacks.system import System


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic abc"}])
async def test_no_key_or_a_wrong_one_is_unauthorised(system: System, header: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=system.stack.api_url, headers=header) as stranger:
        for reply in (
            await stranger.post("/api/jobs/", json={"job_type": "noop", "parameters": {}}),
            await stranger.get("/api/jobs/job-1"),
        ):
            assert reply.status_code == 401
            assert reply.json()["error"]["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("path", ["/api/jobs/job-unknown", "/api/jobs/batch/batch-unknown"])
async def test_unknown_paths_and_ids_are_not_found(system: System, path: str) -> None:
    reply = await system.client.get(path)
    assert reply.status_code == 404
    assert reply.json()["error"]["message"] in ("job not found", "batch not found")


async def test_a_job_of_another_owner_is_not_found(system: System) -> None:
    job_id = await system.create()
    other = await system.create_key("stranger")
    reply = await system.client.get(f"/api/jobs/{job_id}", headers={"Authorization": f"Bearer {other}"})
    assert reply.status_code == 404
    cancel = await system.client.post(f"/api/jobs/{job_id}/cancel", headers={"Authorization": f"Bearer {other}"})
    assert cancel.status_code == 404


@pytest.mark.parametrize("wait", ["soon", "-1", "61", "nan", ""])
async def test_a_wait_outside_0_to_60_is_refused(system: System, wait: str) -> None:
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
