"""The one deadline of a service that is stopped."""

import asyncio
import sys
import time

import pytest
import structlog

from piperoll.clock import ended_by
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


async def test_what_held_up_the_stop_is_logged() -> None:
    stopping = asyncio.Event()
    stopping.set()

    async def waits_for_an_acknowledgement() -> None:
        await asyncio.Event().wait()

    with structlog.testing.capture_logs() as logs:
        await until_drained(waits_for_an_acknowledgement(), stopping, drain_s=0.1)
    (line,) = [one for one in logs if one["event"] == "drain_cut_off"]
    assert any("waits_for_an_acknowledgement" in one for one in line["unfinished"])


async def test_work_that_another_process_repeats_is_ended_by_the_stop() -> None:
    stopping, ended = asyncio.Event(), []

    async def sweeps() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("in order")

    stopping.set()
    await ended_by(stopping, sweeps())
    assert ended == ["in order"]


async def test_the_error_of_such_work_is_raised() -> None:
    async def sweeps() -> None:
        raise ValueError("a bug")

    with pytest.raises(ExceptionGroup) as raised:
        await ended_by(asyncio.Event(), sweeps())
    assert isinstance(raised.value.exceptions[0], ValueError)


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
