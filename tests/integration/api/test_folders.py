"""Folders and the search in them, over a real Kafka, Postgres and projector."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from piperoll.settings import Settings
from schemas.job_types.embedding import MISTRAL_MODEL
from tests.support.stacks.api import Api, refused
from tests.support.stacks.document_api import (
    NOTE,
    UNKNOWN_DOCUMENT,
    UNKNOWN_FOLDER,
    Json,
    a_stranger,
    data_of,
    ends,
    folder,
    indexed,
    loaded,
    parameters_of,
    read,
    serving_documents,
    upload,
)


@pytest.fixture(scope="module")
async def api(environment: dict[str, str]) -> AsyncIterator[Api]:
    async with serving_documents(environment) as serving_api:
        yield serving_api


@pytest.fixture(scope="module")
async def stranger(api: Api, pool: asyncpg.Pool, settings: Settings) -> dict[str, str]:
    return await a_stranger(pool, settings)


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
    assert data_of(await api.client.get(path)) == [
        {"id": ids[0], "name": "note.md", "size": len(NOTE[1]), "mimetype": "text/markdown"},
        {"id": ids[1], "name": "b.txt", "size": 1, "mimetype": "text/plain"},
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


async def test_a_search_finds_the_nearest_chunks_of_the_folder(
    api: Api, pool: asyncpg.Pool, stranger: dict[str, str]
) -> None:
    made = await folder(api)
    path = f"/v1/folders/{made['id']}"
    texts = {
        "pump.md": "The heat pump in the cellar is serviced every year in May.",
        "cat.md": "Our neighbour's cat sleeps on the warm roof of the car.",
        "tax.md": "The tax return must be handed in before the end of July.",
    }
    taken = {name: await upload(api, (name, text.encode()), folderId=made["id"]) for name, text in texts.items()}
    refused(await api.client.get(f"{path}/search", params={"q": "heating"}), 409, "CONFLICT")
    for name in ("pump.md", "cat.md"):
        await read(api, taken[name]["jobId"], texts[name])
    job = data_of(await api.client.post(f"{path}/reindex"), 202)
    assert (job["type"], job["targetId"], job["metadata"]["folderName"]) == ("EMBEDDING", made["id"], "Documentation")
    refused(await api.client.post(f"{path}/reindex"), 409, "CONFLICT")
    resolved = (await parameters_of(api, job["id"], pool))["resolved"]
    assert [one["name"] for one in resolved["documents"]] == ["pump.md", "cat.md"]
    assert resolved["pending"] == 1
    ids = {name: one["documentId"] for name, one in taken.items()}
    await indexed(api, job["id"], made["id"], {ids[name]: text for name, text in texts.items()})

    async def search(query: str, **more: Any) -> list[Json]:
        return list(data_of(await api.client.get(f"{path}/search", params={"q": query, **more})))

    found = await search("Who looks after the heating?")
    assert found[0] == {
        "documentId": ids["pump.md"],
        "chunk": 0,
        "text": texts["pump.md"],
        "score": found[0]["score"],
    }
    assert [one["score"] for one in found] == sorted((one["score"] for one in found), reverse=True)
    assert len(found) == 3
    assert len(await search("a pet", limit=1)) == 1
    refused(await api.client.get(f"{path}/search", params={"q": "x"}, headers=stranger), 404, "NOT_FOUND")
    data_of(await api.client.delete(f"{path}/files/{ids['tax.md']}"))
    data_of(await api.client.delete(f"/v1/documents/{ids['pump.md']}"))
    assert [one["documentId"] for one in await search("heating")] == [ids["cat.md"]]


async def test_a_search_whose_model_is_unavailable_is_a_provider_error(api: Api) -> None:
    made = await folder(api)
    job = data_of(await api.client.post(f"/v1/folders/{made['id']}/reindex"), 202)
    await loaded(api, job["id"], made["id"], MISTRAL_MODEL, 1024, {UNKNOWN_DOCUMENT: [("Text", (1.0,) * 1024)]})
    reply = await api.client.get(f"/v1/folders/{made['id']}/search", params={"q": "text"})
    refused(reply, 503, "PROVIDER_ERROR")
    assert "MISTRAL_API_KEY" in reply.json()["error"]["message"]
    assert "Retry-After" in reply.headers


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "INVALID_PARAMETERS"),
        ({"q": " "}, "INVALID_PARAMETERS"),
        ({"q": "x" * 2001}, "INVALID_PARAMETERS"),
        ({"q": "x", "limit": "0"}, "INVALID_PARAMETERS"),
        ({"q": "x", "limit": "101"}, "INVALID_PARAMETERS"),
        ({"q": "x", "limit": "ten"}, "INVALID_PARAMETERS"),
        ({"q": "x", "k": "1"}, "INVALID_REQUEST"),
    ],
)
async def test_an_invalid_search_is_refused(api: Api, query: Json, code: str) -> None:
    refused(await api.client.get(f"/v1/folders/{UNKNOWN_FOLDER}/search", params=query), 400, code)
