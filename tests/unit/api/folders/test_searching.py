"""Searches wait for a provider, perhaps for long: they take no thread that others need, nor one owner all of theirs."""

import asyncio
import threading
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from piperoll.embeddings import Remote
from piperoll.settings import Settings
from services.api.folders import search
from services.api.folders.search import MOST_OF_OWNER, Search
from tests.support.waiting import wait_until


class Provider:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked: list[str] = []

    def embed(self, texts: list[str]) -> list[list[float]]:
        self.asked += texts
        self.answers.wait(60)
        return [[1.0]]


class Model:
    """The read model of folders that have an index."""

    async def index(self, folder_id: str) -> Any:
        return SimpleNamespace(model="remote")

    async def search(self, *arguments: Any) -> list[Any]:
        return []


@pytest.fixture
async def provider(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Provider]:
    made = Provider()
    monkeypatch.setattr(search, "embedder_of", lambda model, remote: made)
    yield made
    made.answers.set()


def searching(search: Search, owner: str, count: int) -> list[asyncio.Task[Any]]:
    folder: Any = SimpleNamespace(folder_id="folder-1", owner=owner)
    return [asyncio.create_task(search.hits(folder, owner, 3)) for _ in range(count)]


async def test_slow_searches_of_one_owner_hold_up_neither_other_requests_nor_another_owner(provider: Provider) -> None:
    made = Search(Model(), Remote.of(Settings()))  # type: ignore[arg-type]
    greedy = searching(made, "greedy", 40)

    async def some_asked() -> bool:
        return provider.asked.count("greedy") == MOST_OF_OWNER

    await wait_until(some_asked, 5, "the searches of one owner")
    async with asyncio.timeout(30):
        await asyncio.to_thread(str)  # as a large body is parsed
    modest = searching(made, "modest", 1)

    async def modest_asked() -> bool:
        return "modest" in provider.asked

    await wait_until(modest_asked, 5, "the search of another owner")
    assert provider.asked.count("greedy") == MOST_OF_OWNER
    provider.answers.set()
    assert await asyncio.gather(*greedy, *modest) == [[]] * 41
