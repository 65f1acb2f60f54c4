"""The one deadline of a service that is stopped."""

import asyncio
import sys
import time

import pytest

from piperoll.runtime import until_drained

STUBBORN = """
import asyncio
from piperoll.runtime import until_drained

async def main():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def run():
    stopping = asyncio.Event()
    stopping.set()
    await until_drained(main(), stopping, drain_s=0.1, close_s=0.1)

asyncio.run(run())
"""


async def test_a_service_that_drains_in_time_ends_by_itself() -> None:
    stopping, closed = asyncio.Event(), []

    async def main() -> None:
        await stopping.wait()
        closed.append("in order")

    stopping.set()
    await until_drained(main(), stopping, drain_s=5)
    assert closed == ["in order"]


async def test_a_service_that_cannot_drain_is_cut_off_and_closed() -> None:
    stopping, closed = asyncio.Event(), []

    async def main() -> None:
        try:
            await asyncio.Event().wait()  # an acknowledgement that never comes
        finally:
            closed.append("connections")

    stopping.set()
    began = time.monotonic()
    await until_drained(main(), stopping, drain_s=0.1)
    assert closed == ["connections"]
    assert time.monotonic() - began < 2


async def test_an_error_during_the_drain_is_raised() -> None:
    stopping = asyncio.Event()

    async def main() -> None:
        await stopping.wait()
        raise ValueError("a bug")

    stopping.set()
    with pytest.raises(ValueError, match="a bug"):
        await until_drained(main(), stopping, drain_s=5)


async def test_a_service_that_cannot_even_be_closed_exits() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", STUBBORN, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(30):
        await process.communicate()
    assert process.returncode == 1
