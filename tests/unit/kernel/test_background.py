"""Background work: what fails is tried again, and named while it fails."""

import asyncio

import pytest

from piperoll.background import FAILURES, Background, BackgroundEndedError
from piperoll.runtime import Lifetime


def failures(work: str) -> float:
    return float(FAILURES.labels(work)._value.get())


async def test_work_that_fails_is_repeated_until_it_succeeds_and_named_meanwhile() -> None:
    lifetime, seen = Lifetime(), []
    before = failures("the test")

    async def attempt() -> None:
        seen.append(lifetime.problems().get("background"))
        if len(seen) < 3:
            raise OSError("away")

    await lifetime.background.until_done("the test", attempt, "batch-1")
    assert seen[0] is None
    assert seen[1] == seen[2] == "the test of batch-1 fails and is tried again: OSError: away"
    assert lifetime.problems() == {}
    assert failures("the test") == before + 2


async def test_a_stop_ends_the_repetition() -> None:
    stopping = asyncio.Event()
    background = Background(stopping)

    async def attempt() -> None:
        stopping.set()
        raise OSError("away")

    await background.until_done("the test", attempt)
    assert background.problem() is None


async def test_lasting_work_that_returns_before_the_stop_is_an_error() -> None:
    stopping = asyncio.Event()
    with pytest.raises(BackgroundEndedError, match="the reader ended"):
        await Background(stopping).loop("the reader", asyncio.sleep(0))
    stopping.set()
    await Background(stopping).loop("the reader", asyncio.sleep(0))


async def test_an_error_of_lasting_work_is_counted_and_raised() -> None:
    async def broken() -> None:
        raise ValueError("a bug")

    background, before = Background(asyncio.Event()), failures("the reader")
    with pytest.raises(ValueError, match="a bug"):
        await background.loop("the reader", broken())
    assert failures("the reader") == before + 1
    assert background.problem() is not None
