"""Values that requests of all owners share: which of them wait for a reading, and which do not."""

import asyncio

from services.api.http.database import TURNS, bounded_query
from services.api.outlook.observing import _Remembered
from tests.support.waiting import wait_until


class Source:
    """Numbers from 1 on. Each is read in a query, when `answers` is set."""

    def __init__(self) -> None:
        self.begun = 0
        self.answers = asyncio.Event()

    async def read(self) -> int:
        async with bounded_query("numbers", 5.0):
            self.begun += 1
            await self.answers.wait()
            return self.begun


async def test_while_a_value_is_read_again_the_older_one_is_returned() -> None:
    source = Source()
    remembered = _Remembered(source.read, 0, lasts_s=0.0)
    source.answers.set()
    assert await remembered.value() == 1
    source.answers.clear()
    reading = asyncio.create_task(remembered.value())
    await wait_until(lambda: source.begun == 2, 5, "the second reading")
    assert await asyncio.wait_for(remembered.value(), 5) == 1
    source.answers.set()
    assert await reading == 2


async def test_the_first_value_is_waited_for_by_all_and_read_once() -> None:
    source = Source()
    remembered = _Remembered(source.read, 0, lasts_s=60.0)
    asked = [asyncio.create_task(remembered.value()) for _ in range(3)]
    await wait_until(lambda: source.begun == 1, 5, "the reading")
    source.answers.set()
    assert await asyncio.gather(*asked) == [1, 1, 1]


async def test_a_reading_takes_no_turn_of_the_owner_that_asks_for_it() -> None:
    source = Source()
    source.answers.set()
    TURNS.set(turns := asyncio.Semaphore(0))
    remembered = _Remembered(source.read, 0, lasts_s=60.0)
    assert await asyncio.wait_for(remembered.value(), 2) == 1
    assert TURNS.get() is turns, "the other queries of the request take turns"
