"""Work on many items: bounded, and over when it has ended."""

import asyncio

import pytest

from services.worker.manager.chunks import CHUNK, in_chunks


async def test_no_more_than_a_chunk_is_at_work_and_all_items_are_acted_on() -> None:
    working, most, done = 0, 0, []

    async def act(item: int) -> None:
        nonlocal working, most
        working += 1
        most = max(most, working)
        await asyncio.sleep(0)
        working -= 1
        done.append(item)

    await in_chunks(range(2 * CHUNK + 1), act)
    assert most == CHUNK
    assert sorted(done) == list(range(2 * CHUNK + 1))


async def test_the_first_error_is_raised_when_all_of_its_chunk_have_ended_and_nothing_goes_on() -> None:
    before = asyncio.all_tasks()  # of the session too
    ended = []

    async def act(item: int) -> None:
        if item in (1, 2):
            raise ValueError(item)
        await asyncio.sleep(0.01)
        ended.append(item)

    with pytest.raises(ValueError, match="1"):
        await in_chunks(range(2 * CHUNK), act)
    assert len(ended) == CHUNK - 2
    assert asyncio.all_tasks() <= before


async def test_a_cancel_ends_all_of_the_chunk() -> None:
    before = asyncio.all_tasks()  # of the session too

    async def act(item: int) -> None:
        await asyncio.sleep(60)

    work = asyncio.create_task(in_chunks(range(CHUNK), act))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    work.cancel()
    await asyncio.wait([work])
    assert work.cancelled()
    assert asyncio.all_tasks() <= before
