"""The endpoints that wrap one job: an acknowledgement, or the result where it is waited for.
See docs/contract/secretary.md#direct-endpoints."""

import io
import json
import zipfile
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.files.pdf import pdf
from tests.support.stacks.system import System

KEYS = {"status", "worker", "process", "job", "webhook", "error"}


def document(system: System, pages: int = 2) -> dict[str, Any]:
    """A form's file."""
    path = pdf(system.files / f"direct-{uuid4().hex[:8]}.pdf", pages)
    return {"file": ("my file.pdf", path.read_bytes(), "application/pdf")}


def refused(reply: httpx.Response, code: str) -> dict[str, Any]:
    """The error of a refusal."""
    assert reply.status_code == 400, reply.text
    assert set(reply.json()) == {"status", "error"}
    assert reply.json()["error"]["code"] == code
    return dict(reply.json()["error"])


async def test_an_uploaded_pdf_is_acknowledged_and_its_callback_is_called(system: System) -> None:
    form = {
        "callback_url": system.receiver.url("/direct"),
        "callback_token": "direct-token",
        "jobId": "client_job_id",
        "useCache": "false",
        "page_start": "2",
    }
    reply = await system.client.post("/api/pdf/process", data=form, files=document(system))
    assert reply.status_code == 202, reply.text
    answer = reply.json()
    assert set(answer) == KEYS
    assert (answer["status"], answer["worker"], answer["error"]) == ("accepted", "secretary", None)
    assert set(answer["process"]) == {"id", "main_processor", "started", "is_from_cache"}
    assert (answer["process"]["main_processor"], answer["process"]["is_from_cache"]) == ("pdf", False)
    assert answer["job"] == {"id": "client_job_id"}
    assert answer["webhook"] == {"delivered_to": form["callback_url"]}
    job_id = answer["process"]["id"]
    final = (await system.wait_for_final_hooks([job_id]))[job_id][-1]
    assert final["job"] == {"id": "client_job_id"}
    assert "This is page 2." in final["data"]["extracted_text"]
    assert "This is page 1." not in final["data"]["extracted_text"]
    job = await system.job(job_id)
    assert (job["parameters"]["use_cache"], job["parameters"]["page_start"]) == (False, 2)
    assert job["parameters"]["webhook"]["token"] == "***"


async def test_with_wait_ms_the_answer_is_the_result(system: System) -> None:
    reply = await system.client.post("/api/pdf/process", data={"wait_ms": "30000"}, files=document(system))
    assert reply.status_code == 200, reply.text
    answer = reply.json()
    assert set(answer) == {*KEYS, "data"}
    assert (answer["status"], answer["webhook"], answer["error"]) == ("success", None, None)
    assert answer["job"] == {"id": answer["process"]["id"]}
    assert "This is page 1." in answer["data"]["extracted_text"]
    assert answer["data"]["metadata"]["page_count"] == 2


async def test_with_wait_ms_the_answer_is_the_failure(system: System) -> None:
    files = {"file": ("a.pdf", b"%PDF-1.7 and nothing else", "application/pdf")}
    reply = await system.client.post("/api/pdf/process", data={"wait_ms": "30000"}, files=files)
    assert reply.status_code == 400, reply.text
    answer = reply.json()
    assert (answer["status"], answer["data"]) == ("error", None)
    assert set(answer["error"]) == {"code", "message", "details"}
    assert answer["error"]["code"] == "INVALID_PDF"


async def test_a_wait_that_is_too_short_ends_with_an_acknowledgement(system: System) -> None:
    busy = [await system.create(sleep_s=3600) for _ in range(2)]
    for job_id in busy:
        await system.wait_for_status(job_id, "processing")
    reply = await system.client.post("/api/pdf/process", data={"wait_ms": "200"}, files=document(system))
    for job_id in busy:
        assert (await system.client.post(f"/api/jobs/{job_id}/cancel")).status_code == 200
    assert (reply.status_code, reply.json()["status"]) == (202, "accepted")


@pytest.mark.parametrize("way", ["form", "json"])
async def test_a_url_is_accepted_in_a_form_and_in_json(system: System, way: str) -> None:
    fields = {"url": "https://192.0.2.1/a.pdf", "context": {"a": 1}, "template": "MeetingMinutes", "page_end": 3}
    if way == "form":
        reply = await system.client.post(
            "/api/pdf/process-url", data={**fields, "context": json.dumps(fields["context"]), "page_end": "3"}
        )
    else:
        reply = await system.client.post("/api/pdf/process-url", json=fields)
    assert reply.json()["error"]["code"] == "BLOCKED_ADDRESS", "a reserved address, found after all else was right"


async def test_the_mistral_endpoint_creates_a_job_that_renders_pages(system: System) -> None:
    form = {"includePreviewPages": "false", "includeHighResPages": "true", "includeOCRImages": "true"}
    reply = await system.client.post("/api/pdf/process-mistral-ocr", data=form, files=document(system))
    assert reply.status_code == 202, reply.text
    parameters = (await system.job(reply.json()["process"]["id"]))["parameters"]
    assert parameters["extraction_method"] == "mistral_ocr_with_pages"
    assert (parameters["include_preview_pages"], parameters["include_high_res_pages"]) == (False, True)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"extraction_method": "magic"}, "ValidationError"),
        ({"page_start": "one"}, "ValidationError"),
        ({"page_start": "3", "page_end": "2"}, "ValidationError"),
        ({"useCache": "perhaps"}, "ValidationError"),
        ({"context": "{"}, "ValidationError"),
        ({"context": "[]"}, "ValidationError"),
        ({"callback_token": "t"}, "ValidationError"),
        ({"callback_url": "ftp://example.com"}, "ValidationError"),
        ({"callback_url": "http://10.0.0.1/hook"}, "BLOCKED_ADDRESS"),
        ({"wait_ms": "300001"}, "ValidationError"),
        ({"colour": "red"}, "ValidationError"),
    ],
)
async def test_wrong_fields_are_refused_with_their_names(system: System, form: dict[str, str], code: str) -> None:
    refused(await system.client.post("/api/pdf/process", data=form, files=document(system, 1)), code)


async def test_a_request_without_a_file_or_a_url_is_refused(system: System) -> None:
    for path in ("/api/pdf/process", "/api/pdf/process-mistral-ocr", "/api/pdf/process-url"):
        refused(await system.client.post(path, data={"target_id": "t"}), "ValidationError")
    refused(await system.client.post("/api/pdf/process", content=b"{"), "InvalidRequest")
    refused(await system.client.post("/api/pdf/process-url", files=document(system, 1)), "InvalidRequest")


async def test_the_same_idempotency_key_and_file_give_the_same_job(system: System) -> None:
    headers, files = {"Idempotency-Key": uuid4().hex}, document(system, 1)
    first, second = [
        await system.client.post("/api/pdf/process", data={}, files=files, headers=headers) for _ in range(2)
    ]
    assert first.json() == second.json()
    other = await system.client.post("/api/pdf/process", data={"page_end": "1"}, files=files, headers=headers)
    assert other.status_code == 422


@pytest.mark.parametrize("way", ["form", "json"])
async def test_a_filled_template_is_the_answer(system: System, way: str) -> None:
    fields = {
        "text": "Anna and Ben met on Monday. Ben will send the offer.",
        "template_content": "# {{title}}\n\n{{text}}\n",
        "context": {"title": "Monday"},
        "provider": "local",
    }
    if way == "form":
        form = {**fields, "context": json.dumps(fields["context"])}
        reply = await system.client.post("/api/transformer/template", data=form)
    else:
        reply = await system.client.post("/api/transformer/template", json=fields)
    assert reply.status_code == 200, reply.text
    answer = reply.json()
    assert (answer["status"], answer["process"]["main_processor"]) == ("success", "transformer")
    assert answer["data"]["transformed_text"].startswith("# Monday\n\nAnna and Ben met on Monday.")
    archive = await system.client.get(f"/api/jobs/{answer['process']['id']}/download-archive")
    with zipfile.ZipFile(io.BytesIO(archive.content)) as files:
        assert files.namelist() == ["transformed.md", "template_fields.json"]
        assert files.read("transformed.md").decode() == answer["data"]["transformed_text"]


async def test_a_template_with_a_callback_is_acknowledged(system: System) -> None:
    url = system.receiver.url("/transformed")
    fields = {"text": "A text.", "template_content": "{{text}}", "provider": "local", "callback_url": url}
    reply = await system.client.post("/api/transformer/template", json=fields)
    assert (reply.status_code, reply.json()["webhook"]) == (202, {"delivered_to": url})
    job_id = reply.json()["process"]["id"]
    assert (await system.wait_for_final_hooks([job_id]))[job_id][-1]["phase"] == "completed"
    wrong = await system.client.post("/api/transformer/template", json={**fields, "template": "MeetingMinutes"})
    refused(wrong, "ValidationError")
