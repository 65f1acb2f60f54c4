"""The brake, the pauses between sweeps, and what is shown of them."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.store.blobs import BlobStoreError
from services.worker import metrics
from services.worker.cleanup.sweep import notes
from services.worker.cleanup.sweep.evidence import BRAKE_FLOOR, exceeds
from services.worker.cleanup.sweep.sweeper import FIRST_AFTER_S, LOOK_S, StoreSweep, Sweeper
from tests.support.runs.sweeping import ENOUGH_S, INTERVAL_S, Sweeping, sweeping


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0, 1))
def test_few_blobs_may_always_go_and_never_more_than_the_share(judged: int, total: int, share: float) -> None:
    if judged <= BRAKE_FLOOR:
        assert not exceeds(judged, total, share)
    else:
        assert exceeds(judged, total, share) == (judged > share * total)


async def lose_much(one: Sweeping) -> None:
    """So many requests without a job that the brake is on."""
    await one.finished("job-1")
    one.put(*(f"job-lost-{number}/in/p" for number in range(BRAKE_FLOOR + 1)))


def test_a_sweep_that_would_delete_too_much_deletes_nothing_and_shows_it(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await lose_much(one)
        before = one.names()
        stopping = asyncio.Event()
        task = asyncio.create_task(one.sweeper.run(stopping))
        await asyncio.sleep(ENOUGH_S)
        assert one.names() == before
        problem = one.sweeper.problem()
        assert problem is not None
        assert "51 of 53 blobs" in problem
        assert "piperoll sweep --dry-run" in problem
        assert metrics.SWEEP_STOPPED._value.get() == BRAKE_FLOOR + 1
        assert await notes.stops(one.blobs) == [problem]  # for `piperoll doctor`
        stopping.set()
        await task

    sweeping(tmp_path, story)


def test_a_brake_that_an_operator_releases_is_off_within_a_minute(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await lose_much(one)
        stopping = asyncio.Event()
        task = asyncio.create_task(one.sweeper.run(stopping))
        await asyncio.sleep(ENOUGH_S)
        assert one.sweeper.problem() is not None
        plan = await one.plan()
        await one.sweep.carry_out(plan, stopping)
        await one.once()
        await asyncio.sleep(LOOK_S + 1)
        assert one.sweeper.problem() is None
        assert metrics.SWEEP_STOPPED._value.get() == 0
        assert await notes.stops(one.blobs) == []
        assert one.names() == {"job-1/in/p", "job-1/run/result.json"}
        stopping.set()
        await task

    sweeping(tmp_path, story)


def test_a_larger_share_may_be_allowed(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await lose_much(one)
        await one.go_on()
        assert one.names() == {"job-1/in/p", "job-1/run/result.json"}

    sweeping(tmp_path, story, sweep_max_share=1)


def test_a_sweep_that_failed_is_repeated_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(one: Sweeping) -> None:
        begun = []
        real = one.sweep.plan

        async def failing_once(deep: bool) -> object:
            begun.append(one.loop.time())
            if len(begun) == 1:
                raise BlobStoreError("away")
            return await real(deep)

        monkeypatch.setattr(one.sweep, "plan", failing_once)
        await one.finished("job-1")
        stopping = asyncio.Event()
        task = asyncio.create_task(one.sweeper.run(stopping))
        await asyncio.sleep(FIRST_AFTER_S * 2 + INTERVAL_S + 60)
        stopping.set()
        await task
        assert [round(at / FIRST_AFTER_S) for at in begun] == [1, 2, 2 + INTERVAL_S / FIRST_AFTER_S]

    sweeping(tmp_path, story)


def test_no_sweep_begins_while_store_and_log_may_not_belong_together(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        class Asked(StoreSweep):
            async def plan(self, deep: bool) -> None:
                raise AssertionError("a sweep began")

        async def identity() -> str | None:
            return "the blob store is of another installation"

        one.sweep.__class__ = Asked
        sweeper = Sweeper(one.settings, one.sweep, one.chances, identity)
        assert await sweeper.once(asyncio.Event()) is False

    sweeping(tmp_path, story)
