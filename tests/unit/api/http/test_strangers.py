"""Unknown tokens: looking them up leaves connections to Postgres for the requests of callers with a key."""

import asyncio
from typing import Any

import pytest

from piperoll.keys import digest
from services.api.http.access import MOST_STRANGERS, Access
from services.api.http.errors import ApiError, ReadModelUnavailableError
from tests.support.waiting import wait_until

PEPPER = "pepper"
KNOWN = f"pr_0123456789ab.{'k' * 43}"
ROW = {
    "key_id": "0123456789ab",
    "owner": "acme",
    "scopes": ["jobs"],
    "created_at": None,
    "expires_at": None,
    "revoked_at": None,
}


class SlowKeys:
    """Postgres with one key, which answers when it is let."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.asked: list[str] = []

    async def fetchrow(self, query: str, key_digest: str) -> dict[str, Any] | None:
        self.asked.append(key_digest)
        await self.answers.wait()
        return ROW if key_digest == digest(PEPPER, KNOWN) else None


def stranger(number: int) -> bytes:
    return f"pr_stranger.{number:043}".encode()


async def test_unknown_tokens_are_looked_up_a_few_at_a_time_and_a_remembered_key_does_not_wait_for_them() -> None:
    keys = SlowKeys()
    access = Access(keys, PEPPER, [], cache_s=900, deadline_s=60)  # type: ignore[arg-type]
    keys.answers.set()
    await access.caller(KNOWN.encode())
    keys.answers.clear()
    asking = [asyncio.create_task(access.caller(stranger(number))) for number in range(5 * MOST_STRANGERS)]

    async def some_asked() -> bool:
        return len(keys.asked) > MOST_STRANGERS

    await wait_until(some_asked, 5, "the first strangers")
    again = asyncio.create_task(access.caller(KNOWN.encode()))  # no changes are heard, so it is looked up each second
    await asyncio.sleep(0)
    assert len(keys.asked) == 1 + MOST_STRANGERS
    keys.answers.set()
    assert (await again).owner == "acme"
    refused = await asyncio.gather(*asking, return_exceptions=True)
    assert {error.status for error in refused if isinstance(error, ApiError)} == {401}


async def test_an_unknown_token_waits_no_longer_than_a_query_may_take() -> None:
    keys = SlowKeys()
    access = Access(keys, PEPPER, [], cache_s=900, deadline_s=0.05)  # type: ignore[arg-type]
    asking = [access.caller(stranger(number)) for number in range(2 * MOST_STRANGERS)]
    async with asyncio.timeout(60):
        refused = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(error, ReadModelUnavailableError) for error in refused)
    keys.answers.set()
    with pytest.raises(ApiError) as error:
        await access.caller(stranger(0))
    assert error.value.status == 401
