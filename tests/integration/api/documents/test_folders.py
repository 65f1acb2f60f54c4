"""Folders over a real Kafka, Postgres and projector."""

import asyncpg
import pytest

from tests.support.stacks.api import Api, refused
from tests.support.stacks.document_api import (
    NOTE,
    UNKNOWN_DOCUMENT,
    Json,
    data_of,
    ends,
    folder,
    parameters_of,
    read,
    upload,
)


async def test_a_folder_is_created_listed_changed_and_removed(api: Api, stranger: dict[str, str]) -> None:
    made = await folder(api, description="What we know", chunkSize=300)
    path = f"/v1/folders/{made['id']}"
    assert (made["name"], made["description"], made["chunkSize"], made["words"]) == (
        "Documentation",
        "What we know",
        300,
        0,
    )
    assert data_of(await api.client.get(path)) == made
    listed = data_of(await api.client.get("/v1/folders"))
    assert {"status": "fulfilled", "value": made} in listed
    assert data_of(await api.client.get("/v1/folders", headers=stranger)) == []
    changed = data_of(await api.client.put(path, json={"name": "Knowledge", "description": None}))
    assert changed == {key: value for key, value in made.items() if key != "description"} | {
        "name": "Knowledge",
        "updatedAt": changed["updatedAt"],
    }
    assert data_of(await api.client.put(path, json={})) == changed
    for method in ("GET", "PUT", "DELETE"):
        refused(await api.client.request(method, path, json={}, headers=stranger), 404, "NOT_FOUND")
    data_of(await api.client.delete(path))
    for method in ("GET", "PUT", "DELETE"):
        refused(await api.client.request(method, path, json={}), 404, "NOT_FOUND")


async def test_a_new_chunk_size_indexes_the_folder_again(api: Api, pool: asyncpg.Pool) -> None:
    made = await folder(api)
    changed = data_of(await api.client.put(f"/v1/folders/{made['id']}", json={"chunkSize": 800}))
    assert changed["chunkSize"] == 800
    [job] = data_of(await api.client.get("/v1/jobs", params={"targetId": made["id"]}))
    assert (job["type"], job["status"]) == ("EMBEDDING", "PENDING")
    assert (await parameters_of(api, job["id"], pool))["resolved"]["chunk_size"] == 800


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": 5}, "name"),
        ({"name": "N", "chunkSize": 49}, "chunkSize"),
        ({"name": "N", "chunkSize": "500"}, "chunkSize"),
        ({"name": "N", "chunk_size": 500}, "chunk_size"),
    ],
)
async def test_an_invalid_folder_is_refused_with_the_field(api: Api, body: Json, field: str) -> None:
    reply = await api.client.post("/v1/folders", json=body)
    refused(reply, 400, "INVALID_PARAMETERS")
    assert [one["field"] for one in reply.json()["error"]["details"]["fields"]] == [field]


async def test_documents_are_added_to_a_folder_and_removed(api: Api, stranger: dict[str, str]) -> None:
    made = await folder(api)
    path = f"/v1/folders/{made['id']}/files"
    first, second = await upload(api, folderId=made["id"]), await upload(api, ("b.txt", b"B"))
    ids = [first["documentId"], second["documentId"]]
    assert data_of(await api.client.post(path, json={"filesIds": [ids[1], ids[1]]})) == [ids[1]]
    listed = data_of(await api.client.get(path))
    assert [one.pop("createdAt")[-1] for one in listed] == ["Z", "Z"]
    assert listed == [
        {"id": ids[0], "name": "note.md", "size": len(NOTE[1]), "mimetype": "text/markdown", "status": "PENDING"},
        {"id": ids[1], "name": "b.txt", "size": 1, "mimetype": "text/plain", "status": "PENDING"},
    ]
    await read(api, first["jobId"], "Three words here")
    await ends(api, first["jobId"])
    assert data_of(await api.client.get(f"/v1/folders/{made['id']}"))["words"] == 3
    for wrong in ([UNKNOWN_DOCUMENT], ["x"], [ids[0], UNKNOWN_DOCUMENT]):
        reply = await api.client.post(path, json={"filesIds": wrong})
        refused(reply, 404, "NOT_FOUND")
        assert reply.json()["error"]["details"]["missing"] == [wrong[-1]]
    refused(await api.client.post(path, json={"filesIds": []}), 400, "INVALID_PARAMETERS")
    foreign = await api.client.post("/v1/folders", json={"name": "Mine"}, headers=stranger)
    own = f"/v1/folders/{data_of(foreign)['id']}/files"
    refused(await api.client.post(own, json={"filesIds": ids}, headers=stranger), 404, "NOT_FOUND")
    data_of(await api.client.delete(f"{path}/{ids[0]}"))
    refused(await api.client.delete(f"{path}/{ids[0]}"), 404, "NOT_FOUND")
    data_of(await api.client.delete(f"/v1/documents/{ids[1]}"))
    assert data_of(await api.client.get(path)) == []
