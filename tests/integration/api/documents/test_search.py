"""The search in folders, over a real Kafka, Postgres and projector."""

from typing import Any

import asyncpg
import pytest

from schemas.job_types.embedding import MISTRAL_MODEL
from tests.support.stacks.api import Api, refused
from tests.support.stacks.document_api import (
    UNKNOWN_DOCUMENT,
    UNKNOWN_FOLDER,
    Json,
    data_of,
    folder,
    indexed,
    loaded,
    parameters_of,
    read,
    upload,
)


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
        "name": "pump.md",
        "jobId": taken["pump.md"]["jobId"],
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
