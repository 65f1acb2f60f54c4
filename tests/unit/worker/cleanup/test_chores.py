"""Chores: each is repeated until it succeeds, and none waits for another."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from piperoll.store.blobs import BlobStoreError, BlobUnreadableError
from services.worker.cleanup.chores import AGAIN_S, BACKOFF, PROBLEM_AFTER_S, WIDTH, Chores
from tests.support.simulation.virtual_time import VirtualLoop, run_virtually

Story = Callable[["Chores", "Counter[str]"], Awaitable[None]]


def play(story: Story) -> "Counter[str]":
    """Run a story beside chores at work; return how often each chore was tried."""
    tries: Counter[str] = Counter()

    async def run() -> None:
        chores, stopping = Chores(random.Random(1)), asyncio.Event()
        working = asyncio.create_task(chores.run(stopping))
        await story(chores, tries)
        stopping.set()
        await working

    run_virtually(run(), VirtualLoop())
    return tries


def failing(tries: "Counter[str]", name: str, error: Exception, times: int = 10**6) -> Callable[[], Awaitable[None]]:
    async def act() -> None:
        tries[name] += 1
        if tries[name] <= times:
            raise error

    return act


def test_chores_that_never_succeed_hold_up_no_other_one() -> None:
    async def story(chores: Chores, tries: "Counter[str]") -> None:
        for number in range(3 * WIDTH):
            name = f"hopeless-{number}"
            chores.add(name, failing(tries, name, BlobStoreError("permission denied")))
        chores.add("easy", failing(tries, "easy", BlobStoreError(""), times=0))
        await asyncio.sleep(0.01)
        assert tries["easy"] == 1

    play(story)


def test_a_fault_in_a_chore_is_a_failure_of_that_chore_only() -> None:
    async def story(chores: Chores, tries: "Counter[str]") -> None:
        chores.add("faulty", failing(tries, "faulty", KeyError("name"), times=1))
        await asyncio.sleep(10)

    assert play(story) == {"faulty": 2}


def test_a_failing_chore_is_tried_ever_more_rarely_and_at_least_every_minute_and_a_quarter() -> None:
    async def story(chores: Chores, tries: "Counter[str]") -> None:
        chores.add("hopeless", failing(tries, "hopeless", BlobStoreError("away")))
        await asyncio.sleep(60)
        assert 4 <= tries["hopeless"] <= 6
        tries.clear()
        await asyncio.sleep(3600)
        assert 3600 / (1.25 * BACKOFF.cap) - 1 <= tries["hopeless"] <= 3600 / BACKOFF.cap + 1

    play(story)


@pytest.mark.parametrize("error", [BlobUnreadableError("no blob can be at '..'"), TypeError("path"), KeyError("name")])
def test_a_chore_that_fails_for_its_own_fault_is_kept_named_and_tried_ever_more_rarely(error: Exception) -> None:
    async def story(chores: Chores, tries: "Counter[str]") -> None:
        chores.add("faulty", failing(tries, "faulty", error))
        await asyncio.sleep(24 * 3600)
        assert 25 <= tries["faulty"] <= 36
        assert "faulty" in str(chores.problem())
        tries.clear()
        await asyncio.sleep(24 * 3600)
        assert 19 <= tries["faulty"] <= 24

    play(story)


def test_a_chore_that_fails_for_a_minute_is_named_until_it_succeeds() -> None:
    async def story(chores: Chores, tries: "Counter[str]") -> None:
        chores.add("job-1", failing(tries, "job-1", BlobStoreError("disk full"), times=8))
        await asyncio.sleep(PROBLEM_AFTER_S - 1)
        assert chores.problem() is None
        await asyncio.sleep(30)
        problem = chores.problem()
        assert problem is not None
        assert "job-1" in problem
        assert "disk full" in problem
        await asyncio.sleep(600)
        assert chores.problem() is None

    play(story)


def test_a_chore_that_has_not_begun_is_added_once_and_does_what_was_asked_last() -> None:
    async def story(chores: Chores, tries: "Counter[str]") -> None:
        chores.add("job-1", failing(tries, "first", BlobStoreError("")), after_s=5)
        chores.add("job-1", failing(tries, "last", BlobStoreError(""), times=0))
        await asyncio.sleep(60)

    assert play(story) == {"last": 1}


def test_a_chore_that_was_added_while_it_ran_runs_again() -> None:
    async def story(chores: Chores, tries: "Counter[str]") -> None:
        async def slow() -> None:
            tries["slow"] += 1
            await asyncio.sleep(5)

        chores.add("job-1", slow)
        await asyncio.sleep(1)
        chores.add("job-1", slow)
        await asyncio.sleep(60)

    assert play(story) == {"slow": 2}


def test_a_chore_that_waits_after_failures_is_tried_at_once_when_it_is_added_again() -> None:
    async def story(chores: Chores, tries: "Counter[str]") -> None:
        chores.add("job-1", failing(tries, "job-1", BlobStoreError("away"), times=8))
        while tries["job-1"] < 8:  # noqa: ASYNC110 - virtual time
            await asyncio.sleep(1)
        await asyncio.sleep(AGAIN_S)
        chores.add("job-1", failing(tries, "again", BlobStoreError(""), times=0))
        await asyncio.sleep(0.1)
        assert tries["again"] == 1
        assert chores.problem() is None
        await asyncio.sleep(600)

    assert play(story) == {"job-1": 8, "again": 1}


def test_a_failing_chore_that_is_added_all_the_time_is_tried_once_a_second_at_most() -> None:
    async def story(chores: Chores, tries: "Counter[str]") -> None:
        async def act() -> None:
            tries["hopeless"] += 1
            await asyncio.sleep(0.05)
            raise BlobStoreError("away")

        for _ in range(6000):
            chores.add("hopeless", act)
            await asyncio.sleep(0.01)
        assert 40 <= tries["hopeless"] <= 60 / AGAIN_S + WIDTH
        await asyncio.sleep(AGAIN_S)
        assert chores.problem() is not None
        tries.clear()
        await asyncio.sleep(3600)
        assert tries["hopeless"] <= 3600 / BACKOFF.cap + 1

    play(story)
