"""Every route with an id, called by another owner who knows the id: nothing is found, and nothing changes."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.support.servers.receiver import Receiver
from tests.support.stacks.system import ENDED, Json, System
from tests.support.waiting import PATIENCE_S, wait_until

OF_ALL_OWNERS = ("/api/keys/", "/api/system/")
"""Admins manage the API keys of every owner, and the installation."""
QUERIES = {"search": "?q=pump", "passage": "?text=pump"}
"""What a route needs in its query, by the end of its path."""
TEXT = {"file": ("note.txt", b"The heat pump is serviced in May.")}


@dataclass(frozen=True)
class Owned:
    """What one owner has: ids by the names of path parameters, and the reference to an upload."""

    ids: dict[str, str]
    upload: str

    def body(self, method: str, path: str) -> dict[str, Any]:
        """A body that the route accepts."""
        if path.endswith("/files"):
            return {"filesIds": [self.ids["document_id"]]}
        return {"name": "taken over"} if method == "put" else {}


@pytest.fixture(scope="module")
async def owned(system: System) -> AsyncIterator[Owned]:
    """One of each kind that a path may name. The endpoint has a receiver for itself, and is gone afterwards."""
    job_id = await system.create()
    await system.wait_for_end(job_id)
    batch = await system.create_batch(1)
    upload = (await system.client.post("/api/files", files=TEXT)).json()["data"]["filename"]
    folder = (await system.client.post("/v1/folders", json={"name": "Mine"})).json()["data"]["id"]
    form = {"folderId": folder}
    document = (await system.client.post("/v1/documents", files=TEXT, data=form)).json()["data"]["documentId"]
    key = (await system.client.get("/api/webhooks/signing-keys")).json()["data"]["keys"][0]["id"]
    ids = {
        "job_id": job_id,
        "batch_id": batch["batch_id"],
        "folder_id": folder,
        "document_id": document,
        "file_id": document,
        "key_id": key,
        "path": "results.json",
        "page": "1",
    }
    async with Receiver() as receiver:
        endpoint = await system.client.post("/v1/webhooks", json={"url": receiver.url("/mine")})
        ids["endpoint_id"] = endpoint.json()["data"]["id"]
        yield Owned(ids, upload)
        assert (await system.client.delete(f"/v1/webhooks/{ids['endpoint_id']}")).status_code in (200, 204)


def routes(document: dict[str, Any], ids: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Method, route and path of each operation with an id."""
    for path, operations in document["paths"].items():
        if "{" in path and not path.startswith(OF_ALL_OWNERS):
            filled = re.sub(r"{(\w+)}", lambda found: ids[found[1]], path)
            for method in operations:
                yield method, path, filled + QUERIES.get(path.rpartition("/")[2], "")


async def states(system: System, ids: dict[str, str]) -> list[Any]:
    """What its owner reads of each."""
    client = system.client
    paths = ("/api/jobs/{job_id}", "/api/jobs/batch/{batch_id}", "/v1/folders/{folder_id}")
    more = ("/v1/folders/{folder_id}/files", "/v1/documents/{document_id}", "/v1/webhooks")
    replies = [await client.get(path.format(**ids)) for path in (*paths, *more, "/api/webhooks/signing-keys")]
    assert [reply.status_code for reply in replies] == [200] * len(replies)
    return [reply.json()["data"] for reply in replies]


@pytest.fixture
async def stranger(system: System) -> Any:
    async with system.client_of("stranger-with-ids", "admin") as client:
        yield client


async def test_no_route_finds_or_changes_what_another_owner_has(
    system: System, owned: Owned, stranger: httpx.AsyncClient
) -> None:
    document = (await system.client.get("/api/swagger.json")).json()
    before = await states(system, owned.ids)
    tried = 0
    for method, route, path in routes(document, owned.ids):
        body = {} if method in ("get", "delete") else {"json": owned.body(method, route)}
        reply = await stranger.request(method.upper(), path, **body)
        assert reply.status_code == 404, f"{method} {route}: {reply.status_code} {reply.text[:200]}"
        tried += 1
    assert tried > 25
    assert await states(system, owned.ids) == before


async def test_no_job_reads_what_another_owner_has(system: System, owned: Owned, stranger: httpx.AsyncClient) -> None:
    document, folder = owned.ids["document_id"], owned.ids["folder_id"]
    for job_type, parameters in (
        ("extraction", {"document_id": document}),
        ("generation", {"document_id": document, "template": "summary"}),
        ("embedding", {"folder_id": folder}),
    ):
        reply = await stranger.post("/api/jobs/", json={"job_type": job_type, "parameters": parameters})
        assert reply.status_code in (400, 404), f"{job_type}: {reply.text[:200]}"
    own = (await stranger.post("/v1/folders", json={"name": "Theirs"})).json()["data"]["id"]
    added = await stranger.post(f"/v1/folders/{own}/files", json={"filesIds": [document]})
    assert added.status_code in (400, 404), added.text

    body = {"job_type": "extraction", "parameters": {"filename": owned.upload}}
    job_id = (await stranger.post("/api/jobs/", json=body)).json()["data"]["job_id"]

    async def ended() -> Json | None:
        job = (await stranger.get(f"/api/jobs/{job_id}")).json()["data"]
        return dict(job) if job["status"] in ENDED else None

    job = await wait_until(ended, PATIENCE_S, "the job with the upload of another owner to end")
    assert job is not None
    assert (job["status"], job["error"]["code"]) == ("failed", "FILE_NOT_FOUND")
