"""How often an owner may register an endpoint: each registration makes the notifier read the log of up to a day."""

from typing import Any

import pytest

from piperoll.store.blobs import AsyncBlobs, Blobs
from services.api.endpoints.commands import EndpointCommands
from services.api.endpoints.requests import endpoint_request
from services.api.http.caller import Caller
from services.api.http.errors import ApiError
from services.api.http.rate_limit import Quota
from tests.support.stacks.memory_api import MemoryApi

CALLER = Caller("acme", "key-1", frozenset({"jobs"}))


class Parts:
    """The read model of an owner with some endpoints, and a limit that is reached."""

    def __init__(self, endpoints: int) -> None:
        self.endpoints = endpoints
        self.counted: list[str] = []

    async def fetch(self, query: str, *arguments: Any) -> list[dict[str, int]]:
        return [{"endpoints": self.endpoints}]

    async def briefly(self) -> bool:
        return True

    async def count(self, key_id: str) -> Quota:
        self.counted.append(key_id)
        return Quota(100, False, 100, 61.5, 3600.0, "registrations")


async def refusal(api: MemoryApi, endpoints: int) -> tuple[ApiError, Parts]:
    parts: Any = Parts(endpoints)
    facts: Any = api.log
    blobs = AsyncBlobs(Blobs("memory:///"))
    commands = EndpointCommands(facts, blobs, api.seal, parts, parts, parts, 5.0)
    with pytest.raises(ApiError) as caught:
        await commands.register(endpoint_request({"url": "https://example.com/a"}, ()), CALLER, None, None)
    assert await blobs.names("endpoints") == ()
    blobs.close()
    return caught.value, parts


async def test_an_owner_that_registers_all_the_time_is_refused_with_a_time(api: MemoryApi) -> None:
    error, parts = await refusal(api, endpoints=0)
    assert (error.status, error.code, error.headers) == (429, "RATE_LIMITED", {"Retry-After": "62"})
    assert "more than 100 registrations in 3600 s" in error.message
    assert parts.counted == ["endpoints/acme"]


async def test_a_registration_beyond_the_maximum_is_not_counted(api: MemoryApi) -> None:
    error, parts = await refusal(api, endpoints=20)
    assert (error.status, parts.counted) == (409, [])
