"""Content that no fact names is deleted, on the log's evidence only."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs, Blobs
from schemas.topics import DOCUMENT_EVENTS
from services.worker.removal.unnamed import SETTLED_S, UnnamedContent
from tests.support.histories.documents import added, made
from tests.support.histories.jobs import fact
from tests.support.memory_log import MemoryLog
from tests.support.runs.erasing import put
from tests.support.simulation.virtual_time import VirtualLoop, run_virtually

INTERVAL_S = SETTLED_S / 4


class Store:
    """A store, a log, and the sweep of a worker that has all partitions unless `parts` are others."""

    def __init__(self) -> None:
        self.log = MemoryLog(partitions=3)
        self.blobs = AsyncBlobs(Blobs("memory:///"))
        self.parts = {0, 1, 2}
        self.sweeps = UnnamedContent(self.blobs, self.log, 3, lambda: self.parts)

    async def sweep(self, times: int = 1) -> None:
        for _ in range(times):
            await self.sweeps.sweep()
            await asyncio.sleep(INTERVAL_S)

    async def left(self) -> set[str]:
        names = [*await self.blobs.names(documents.FOLDER), *await self.blobs.names(documents.FOLDERS)]
        return {uri.split("/")[1] for uri in names}


def play(story: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        store = Store()
        put(store.blobs, "documents/doc-named/a", "documents/doc-lost/a", "documents/doc-lost/details/b")
        put(store.blobs, "folders/folder-named/details/a", "folders/folder-lost/details/a")
        await store.log.append(DOCUMENT_EVENTS, fact("doc-named", added()))
        await store.log.append(DOCUMENT_EVENTS, fact("folder-named", made()))
        await story(store)
        store.blobs.close()

    run_virtually(run(), VirtualLoop())


def test_what_no_fact_names_for_two_days_is_deleted() -> None:
    async def story(store: Store) -> None:
        await store.sweep(4)
        assert await store.left() == {"doc-named", "doc-lost", "folder-named", "folder-lost"}
        await store.sweep()
        assert await store.left() == {"doc-named", "folder-named"}

    play(story)


def test_a_fact_that_arrives_late_keeps_its_content() -> None:
    async def story(store: Store) -> None:
        await store.sweep(4)
        await store.log.append(DOCUMENT_EVENTS, fact("doc-lost", added()))
        await store.sweep(8)
        assert "doc-lost" in await store.left()

    play(story)


def test_content_that_is_written_again_is_spared_for_as_long_as_new_content() -> None:
    """As by a synchronisation that fails every night and succeeds at last."""

    async def story(store: Store) -> None:
        for _ in range(8):
            await store.sweep()
            store.blobs.sync.replace("documents/doc-lost/a", b"again")
        assert "doc-lost" in await store.left()

    play(story)


def test_nothing_of_another_worker_s_partitions_is_deleted() -> None:
    async def story(store: Store) -> None:
        store.parts = set()
        await store.sweep(8)
        assert "doc-lost" in await store.left()

    play(story)


@pytest.mark.parametrize(("named", "lost", "kept"), [(0, 0, False), (0, 1, True), (60, 40, False), (99, 60, True)])
def test_nothing_is_deleted_if_much_is_unnamed(named: int, lost: int, kept: bool) -> None:
    """As with the log of another installation: more than half, or many that are more than a tenth."""

    async def story(store: Store) -> None:
        for number in range(named):
            put(store.blobs, f"documents/doc-named-{number}/a")
            await store.log.append(DOCUMENT_EVENTS, fact(f"doc-named-{number}", added()))
        put(store.blobs, *(f"documents/doc-{number}/a" for number in range(lost)))
        await store.sweep(5)
        assert ("doc-lost" in await store.left()) is kept

    play(story)
