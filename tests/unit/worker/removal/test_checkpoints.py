"""The checkpoints of removal: a store that is away is waited for, and a log that is not theirs is refused."""

import asyncio

import pytest

from piperoll.log.continuity import LogDivergedError
from piperoll.log.record import partition_of
from piperoll.store.blobs import AsyncBlobs, BlobStoreError
from schemas.events import DocumentRemoved
from schemas.topics import DOCUMENT_EVENTS
from services.worker.checkpoints import saving
from tests.support.histories.documents import added
from tests.support.runs.removing import OWNER, Removing
from tests.support.waiting import wait_until

REMOVED = DocumentRemoved(by=OWNER)


async def worked(removing: Removing) -> dict[int, int]:
    """Checkpoints of partitions that all have records; returns their offsets."""
    await removing.start()
    for number in range(12):
        await removing.append(f"doc-{number}", added(), number)
    await removing.settled()
    ends = await removing.log.end_offsets(DOCUMENT_EVENTS)
    assert min(ends.values()) > 1
    await removing.give_back()
    return ends


class Away:
    """Makes a store fail until `back` is set."""

    def __init__(self, blobs: AsyncBlobs, patched: pytest.MonkeyPatch) -> None:
        self.tries = 0
        self.back = asyncio.Event()
        self._real = blobs.get
        patched.setattr(blobs, "get", self._get)

    async def _get(self, uri: str) -> bytes:
        self.tries += 1
        if not self.back.is_set():
            raise BlobStoreError("503 slow down")
        return await self._real(uri)


async def test_a_store_that_is_away_at_the_assignment_is_waited_for(
    removing: Removing, blobs: AsyncBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = await worked(removing)
    away = Away(blobs, monkeypatch)
    assert await removing.reader.assigned({0, 1, 2}) == {}
    await wait_until(lambda: away.tries >= 6, 5, "each checkpoint to be tried again")
    problem = removing.reader.problem()
    assert problem is not None
    assert "503 slow down" in problem
    away.back.set()
    begins: dict[int, int] = {}

    async def loaded() -> bool:
        begins.update(await removing.reader.assigned({0, 1, 2} - begins.keys()))
        return begins == ends

    await wait_until(loaded, 5, "it to continue, and not to begin with the oldest record")
    assert removing.reader.problem() is None


async def test_a_checkpoint_that_cannot_be_read_holds_up_no_other_one(
    removing: Removing, blobs: AsyncBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends, never, real = await worked(removing), asyncio.Event(), blobs.get

    async def hang(uri: str) -> bytes:
        if uri.endswith("/1"):
            await never.wait()
        return await real(uri)

    monkeypatch.setattr(blobs, "get", hang)
    begins: dict[int, int] = {}

    async def loaded() -> bool:
        begins.update(await removing.reader.assigned({0, 1, 2} - begins.keys()))
        return begins == {0: ends[0], 2: ends[2]}

    await wait_until(loaded, 5, "the two others to be loaded")
    assert "partition 1" in (removing.reader.problem() or "")
    await removing.reader.revoked({0, 1, 2})
    assert removing.reader.problem() is None


async def test_a_store_that_hangs_while_partitions_are_given_up_holds_up_their_next_owner_once(
    removing: Removing, blobs: AsyncBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    await worked(removing)
    await removing.start()
    for number in range(12):
        await removing.append(f"doc-{number}", added(), 100 + number)
    begun = 0

    async def hang(uri: str, content: bytes) -> None:
        nonlocal begun
        begun += 1
        await asyncio.Event().wait()

    monkeypatch.setattr(saving, "LAST_SAVE_S", 0.2)
    with monkeypatch.context() as patched:
        patched.setattr(blobs, "replace", hang)
        await asyncio.wait_for(removing.reader.revoked({0, 1, 2}), 10)
    assert begun == 3


async def test_a_stop_ends_the_wait_and_costs_no_checkpoint(
    removing: Removing, blobs: AsyncBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = await worked(removing)
    with monkeypatch.context() as patched:
        away = Away(blobs, patched)
        assert await removing.reader.assigned({0, 1, 2}) == {}
        await wait_until(lambda: away.tries >= 3, 5, "the checkpoints to be tried")
        removing.stopping.set()
        await removing.reader.revoked({0, 1, 2})
        assert removing.reader.problem() is None
    await removing.restart()
    assert removing.read_from == ends


@pytest.mark.parametrize("lost", ["the newest record", "the newest record, and others came"])
async def test_a_log_that_is_older_than_the_checkpoints_is_refused(removing: Removing, lost: str) -> None:
    ends = await worked(removing)
    part = partition_of("doc-0", removing.log.partitions)
    removing.log.go_back(DOCUMENT_EVENTS, {part: ends[part] - 1})
    if lost != "the newest record":
        await removing.append("doc-0", added(), 99)
        assert await removing.log.end_offsets(DOCUMENT_EVENTS) == ends
    with pytest.raises(LogDivergedError, match="piperoll adopt"):
        await removing.start()


async def test_a_checkpoint_that_this_release_cannot_read_is_passed_over(removing: Removing, blobs: AsyncBlobs) -> None:
    await worked(removing)
    for uri in await blobs.names("checkpoints"):
        await blobs.replace(uri, b"not a checkpoint")
    await removing.restart()
    assert removing.read_from == dict.fromkeys(range(removing.log.partitions), 0)
