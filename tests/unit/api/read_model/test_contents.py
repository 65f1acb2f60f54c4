"""The contents of the rows of a list."""

import asyncio

from services.api.read_model.contents import AT_ONCE, of_each


async def test_the_contents_of_a_list_are_read_in_order_and_few_at_a_time() -> None:
    reading, most = 0, 0

    async def read(row: int) -> int:
        nonlocal reading, most
        reading += 1
        most = max(most, reading)
        await asyncio.sleep(0)
        reading -= 1
        return -row

    assert await of_each(read, range(3 * AT_ONCE + 1)) == [-row for row in range(3 * AT_ONCE + 1)]
    assert most == AT_ONCE
