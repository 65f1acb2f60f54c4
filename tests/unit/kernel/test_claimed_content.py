"""Reads that wait through an outage of the store, and give up one blob that the store cannot return."""

import asyncio
from contextlib import suppress

import pytest

from piperoll.claimed_content import ClaimedContent
from piperoll.outages import Outage
from piperoll.store.blobs import AsyncBlobs, Blobs, BlobStoreError, BlobUnreadableError, ClaimMismatchError
from schemas.claims import Claim


class Failing(Blobs):
    """A store in memory that returns no blob under `broken/`, and nothing at all `away` times."""

    def __init__(self, away: int = 0) -> None:
        super().__init__("memory:///")
        self.away = away
        self.read: list[str] = []

    def get(self, uri: str) -> bytes:
        self.read.append(uri)
        if self.away > 0:
            self.away -= 1
            raise BlobStoreError("the store is away")
        if uri.startswith("broken/"):
            raise BlobStoreError("input/output error")
        return super().get(uri)


def contents(store: Blobs, tries: int = 3) -> ClaimedContent:
    return ClaimedContent(AsyncBlobs(store), Outage("the blob store", asyncio.Event()), tries)


async def test_a_blob_that_the_store_cannot_return_is_given_up_after_some_tries() -> None:
    store = Failing()
    with pytest.raises(BlobUnreadableError, match="broken/x cannot be read although the store answers"):
        await contents(store).get(Claim(uri="broken/x", sha256="0" * 64, size=1))
    assert store.read.count("broken/x") == 3


async def test_an_outage_of_any_length_is_waited_for() -> None:
    store = Failing(away=12)
    claim = store.put("in", b"content")
    assert await contents(store, tries=2).get(claim) == b"content"


async def test_other_content_than_the_claim_names_is_not_asked_for_twice() -> None:
    store = Failing()
    claim = store.put("in", b"content").model_copy(update={"sha256": "0" * 64})
    with pytest.raises(ClaimMismatchError):
        await contents(store).get(claim)
    assert store.read == [claim.uri]


@pytest.mark.parametrize("uri", ["a//b", "../x", "x#1" * 100, "a\x00b"])
async def test_a_path_that_no_store_has_is_not_asked_for_twice(uri: str) -> None:
    with pytest.raises(BlobUnreadableError, match="no blob can be at"):
        await contents(Blobs("memory:///")).at_once(uri)


async def test_a_transaction_that_is_repeated_gives_up_each_blob_that_the_store_cannot_return() -> None:
    reading, given_up = contents(Failing()), 0

    async def transaction() -> None:
        nonlocal given_up
        given_up = 0
        for uri in ("broken/1", "broken/2"):
            try:
                await reading.at_once(uri)
            except BlobUnreadableError:
                given_up += 1

    for _ in range(2 * 3):
        with suppress(BlobStoreError):
            await transaction()
    assert given_up == 2
