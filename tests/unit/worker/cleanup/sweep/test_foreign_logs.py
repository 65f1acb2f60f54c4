"""A sweep compares store and log itself before it deletes: what it would delete stays beside another log."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from piperoll.installation.guard import Guard
from piperoll.installation.identity import InstallationError
from piperoll.log.identity import LogIdentity
from services.worker.cleanup.sweep.sweeper import Sweeper
from tests.support.runs.sweeping import ENOUGH_S, INTERVAL_S, Sweeping, sweeping


async def with_an_orphan(one: Sweeping) -> Guard:
    """A finished job, and a request without a job that the next sweep deletes; what the worker compares them by."""
    guard = Guard(one.blobs, one.log)
    await guard.compare()
    await one.finished("job-1")
    one.put("job-lost/in/p")
    one.sweeper = Sweeper(one.settings, one.sweep, one.chances, guard.why_not_compared)
    return guard


async def sweep_long_enough(one: Sweeping) -> None:
    for _ in range(int(ENOUGH_S // INTERVAL_S) + 1):
        await one.sweeper.once(asyncio.Event())
        await asyncio.sleep(INTERVAL_S)


def other_cluster(ids: LogIdentity) -> LogIdentity:
    return replace(ids, cluster_id="other")


def recreated_topic(ids: LogIdentity) -> LogIdentity:
    return replace(ids, topics=dict.fromkeys(ids.topics, "created again"))


def test_the_orphan_goes_beside_its_own_log(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await with_an_orphan(one)
        await sweep_long_enough(one)
        assert one.names("job-") == {"job-1/in/p", "job-1/run/result.json"}

    sweeping(tmp_path, story)


@pytest.mark.parametrize("change", [other_cluster, recreated_topic])
def test_beside_another_log_nothing_goes_and_the_sweep_ends_its_process(
    tmp_path: Path, change: Callable[[LogIdentity], LogIdentity]
) -> None:
    async def story(one: Sweeping) -> None:
        await with_an_orphan(one)
        before = one.names()
        one.log.ids = change(one.log.ids)
        with pytest.raises(InstallationError):
            await sweep_long_enough(one)
        assert one.names() == before

    sweeping(tmp_path, story)


def test_while_the_log_does_not_answer_nothing_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(one: Sweeping) -> None:
        async def away() -> LogIdentity:
            raise OSError("refused")

        await with_an_orphan(one)
        before = one.names()
        monkeypatch.setattr(one.log, "identity", away)
        await sweep_long_enough(one)
        assert one.names() == before

    sweeping(tmp_path, story)
