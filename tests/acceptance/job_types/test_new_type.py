"""A job type that this release does not have, added as `docs/job-types.md` shows: as a plug-in, and in the repository.

Each way is a stack of its own, and everything about the job type is the same in both.
"""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from piperoll.embedded.stack import Stack, StackOptions
from piperoll.store.blobs import Blobs
from schemas.events import JobCreated
from tests.support.files.pdf import pdf
from tests.support.plug_ins import installed_plug_in, repository_with_the_job_type
from tests.support.servers.receiver import Receiver
from tests.support.stacks.system import System, is_final
from tests.support.waiting import wait_until

Json = dict[str, Any]
JPEG = b"\xff\xd8\xff"
WAYS = {"plug-in": installed_plug_in, "repository": repository_with_the_job_type}


@pytest.fixture(scope="module", params=WAYS)
async def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """The four services with the job type `thumbnail`."""
    files: Path = tmp_path_factory.mktemp("files")
    added = WAYS[request.param](tmp_path_factory.mktemp("added"))
    environment = {
        "PYTHONPATH": str(added),
        "PYTHONSAFEPATH": "1",  # not the modules of the folder that the tests run in
        "PIPEROLL_FILES_ROOTS": str(files),
        "PIPEROLL_SLOTS": "1",
        "PIPEROLL_RATE_LIMIT": "100000",
    }
    options = StackOptions(extra_env=environment)
    async with Receiver() as receiver, Stack(tmp_path_factory.mktemp("stack"), options) as running:
        await running.wait_ready(120)
        headers = {"Authorization": f"Bearer {running.api_key}"}
        async with httpx.AsyncClient(base_url=running.api_url, headers=headers, timeout=70) as client:
            yield System(running, client, receiver, files)


@pytest.fixture
def document(system: System) -> str:
    return str(pdf(system.files / f"{uuid4().hex}.pdf"))


def size_of(path: str) -> int:
    return Path(path).stat().st_size


async def answered(system: System, path: str, **query: str) -> Any:
    reply = await system.client.get(path, params=query)
    assert reply.status_code == 200, reply.text
    return reply.json().get("data", reply.json())


async def test_a_job_of_the_new_type_runs_and_is_listed(system: System, document: str) -> None:
    job_id = await system.create("thumbnail", filename=document, target_id=f"about-{uuid4()}", use_cache=False)
    job = await system.wait_for_end(job_id)
    assert job["status"] == "completed", job
    assert job["results"]["structured_data"]["bytes"] > 100
    (picture,) = job["results"]["asset_urls"]
    assert (await system.client.get(picture)).content.startswith(JPEG)

    listed = (await answered(system, "/api/jobs/", job_type="thumbnail"))["jobs"]
    assert job_id in [one["job_id"] for one in listed]
    (shown,) = await answered(system, "/v1/jobs", targetId=job["target_id"])
    assert (shown["id"], shown["type"], shown["status"]) == (job_id, "EXTRACTION", "DONE")
    metadata = {"fileName": Path(document).name, "fileSize": size_of(document), "mimeType": "application/pdf"}
    assert shown["metadata"] == metadata


async def test_its_archive_can_be_downloaded(system: System, document: str) -> None:
    job_id = await system.create("thumbnail", filename=document)
    await system.wait_for_end(job_id)
    reply = await system.client.get(f"/api/jobs/{job_id}/download-archive")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert archive.namelist() == ["thumbnail.jpg"]
        assert archive.read("thumbnail.jpg").startswith(JPEG)


async def test_equal_jobs_share_a_result(system: System, document: str) -> None:
    first, second = [await system.create("thumbnail", filename=document, side=64) for _ in range(2)]
    jobs = await system.wait_for_all([first, second])
    assert sorted(bool(job.get("is_from_cache")) for job in jobs) == [False, True]


async def test_its_webhook_carries_the_declared_results(system: System, document: str) -> None:
    webhook = {"url": system.receiver.url("/hooks")}
    job_id = await system.create("thumbnail", filename=document, webhook=webhook, use_cache=False)
    hooks = (await system.wait_for_final_hooks([job_id]))[job_id]
    (final,) = [hook for hook in hooks if is_final(hook)]
    assert (final["phase"], final["message"]) == ("completed", "Processing completed")
    assert final["data"] == {"thumbnail_url": f"/api/jobs/{job_id}/files/thumbnail.jpg"}
    steps = {hook["step"]: hook["message"] for hook in hooks if not is_final(hook)}
    assert steps.get("drawing_page", "Drawing the first page") == "Drawing the first page"


async def test_a_registered_endpoint_is_notified_of_it(system: System, document: str) -> None:
    path = f"/endpoint/{uuid4().hex}"
    reply = await system.client.post("/v1/webhooks", json={"url": system.receiver.url(path)})
    assert reply.status_code == 200, reply.text
    job_id = await system.create("thumbnail", filename=document, use_cache=False)

    def notices() -> list[Json]:
        sent = [one.json for one in system.receiver.at(path)]
        return [one for one in sent if one["jobId"] == job_id]

    await wait_until(lambda: any(one["status"] == "DONE" for one in notices()), 60, "the last notice")
    assert [one["status"] for one in notices()] == ["PENDING", "IN_PROGRESS", "DONE"]
    assert {one["type"] for one in notices()} == {"EXTRACTION"}
    assert notices()[-1]["metadata"]["fileName"] == Path(document).name


async def test_its_parameters_are_in_the_openapi_document_like_those_of_every_type(system: System) -> None:
    shown = await answered(system, "/api/swagger.json")
    schemas = shown["components"]["schemas"]
    assert schemas["ThumbnailParameters"]["properties"]["side"]["maximum"] == 1000
    body = shown["paths"]["/api/jobs/"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    for name in ("PdfParameters", "ThumbnailParameters"):
        assert schemas[name]["additionalProperties"] is False
        assert {"$ref": f"#/components/schemas/{name}"} in body["properties"]["parameters"]["oneOf"]
    assert {"pdf", "thumbnail"} <= set(body["properties"]["job_type"]["enum"])


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [({"filename": "{}", "side": 5}, "side"), ({"filename": "/etc/passwd"}, "filename"), ({}, "filename")],
)
async def test_wrong_parameters_are_refused(system: System, document: str, parameters: Json, problem: str) -> None:
    given = {name: value.format(document) if isinstance(value, str) else value for name, value in parameters.items()}
    reply = await system.client.post("/api/jobs/", json={"job_type": "thumbnail", "parameters": given})
    assert reply.status_code == 400, reply.text
    assert problem in json.dumps(reply.json()["error"])


async def test_an_unknown_type_is_refused_and_fails_if_it_is_in_the_log(system: System, document: str) -> None:
    reply = await system.client.post("/api/jobs/", json={"job_type": "hologram", "parameters": {}})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "UNKNOWN_JOB_TYPE")
    assert "thumbnail" in reply.json()["error"]["details"]["supported"]

    begun = {name: system.stack.pid(name) for name in ("api", "worker", "projector", "notifier")}
    webhook = {"url": system.receiver.url("/hologram")}
    job_id = f"job-{uuid4()}"
    content = json.dumps({"job_type": "hologram", "parameters": {"webhook": webhook}}).encode()
    claim = Blobs(system.settings.blob_url).put(f"{job_id}/in", content)
    created = JobCreated(job_type="hologram", parameters=claim, body_sha256="0" * 64, has_webhook=True)
    await system.append(job_id, created)
    job = await system.wait_for_end(job_id)
    assert (job["status"], job["error"]["code"]) == ("failed", "PROCESSING_ERROR")
    assert "does not know the job type" in job["error"]["message"]
    hooks = await system.receiver.wait_for(lambda receiver: receiver.at("/hologram"))
    assert (hooks[-1].json["phase"], hooks[-1].json["error"]["code"]) == ("error", "PROCESSING_ERROR")
    assert job_id not in [one["id"] for one in await answered(system, "/v1/jobs")]
    after = await system.wait_for_end(await system.create("thumbnail", filename=document))
    assert after["status"] == "completed"
    assert {name: system.stack.pid(name) for name in begun} == begun, "no service ended"
