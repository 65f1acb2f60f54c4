"""A repeated registration whose secret was sealed with a key that is configured no more."""

from datetime import UTC, datetime
from typing import Any

import pytest

from piperoll.domain.endpoint import CODEC, Endpoint
from piperoll.seal import Seal
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.claims import Claim
from schemas.documents import EndpointSettings
from services.api.endpoints.commands import EndpointCommands
from services.api.endpoints.requests import endpoint_request
from services.api.http.caller import Caller
from services.api.http.errors import ApiError
from tests.support.stacks.memory_api import MemoryApi

CALLER = Caller("acme", "key-1", frozenset({"jobs"}))
NOW = datetime.now(UTC)
URL = "https://example.com/a"


class Registered:
    """The read model of one endpoint."""

    def __init__(self, settings: Claim) -> None:
        self._endpoint = Endpoint(
            endpoint_id="endpoint-1", owner="acme", created_at=NOW, updated_at=NOW, registered=True, settings=settings
        )

    async def fetch(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        return [{"state": CODEC.dump_json(self._endpoint).decode(), "statuses": [], "created_at": NOW}]


async def test_it_is_a_conflict_that_names_what_to_do(api: MemoryApi) -> None:
    blobs = AsyncBlobs(Blobs("memory:///"))
    sealed = Seal({"k0": b"1" * 32}).seal("whsec_old")
    settings = EndpointSettings(url=URL, secret=sealed).model_dump_json(exclude_none=True).encode()
    parts: Any = Registered(await blobs.put("endpoints/endpoint-1", settings))
    commands = EndpointCommands(parts, blobs, api.seal, parts, parts, parts, 5.0)
    with pytest.raises(ApiError) as caught:
        await commands.register(endpoint_request({"url": URL}, ()), CALLER, None, "key")
    blobs.close()
    assert (caught.value.status, caught.value.code) == (409, "CONFLICT")
    assert "'k0'" in caught.value.message
    assert "register a new endpoint" in caught.value.message
