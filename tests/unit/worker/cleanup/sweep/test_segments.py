"""Parameters in segments: erased on the same proof as folders, and empty segments deleted."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from piperoll.store.blobs import BlobMissingError
from schemas.events import JobErased
from tests.support.histories.jobs import created
from tests.support.runs.sweeping import ENOUGH_S, HOUR_S, INTERVAL_S, Sweeping, sweeping
from tests.support.simulation.virtual_time import EPOCH


async def readable(one: Sweeping, uri: str) -> bool:
    try:
        return bool(await one.blobs.get(uri))
    except BlobMissingError:
        return False


async def at_the_real_time(one: Sweeping) -> None:
    """Segments carry the machine's time in their names."""
    one.broker_off = one.local_off = datetime.now(UTC) - EPOCH
    await asyncio.sleep(3 * HOUR_S)


def test_the_parameters_of_a_request_that_never_became_a_job_are_erased_and_others_are_not(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        mine, lost = one.small("job-1"), one.small("job-lost")
        await at_the_real_time(one)
        await one.append("job-1", created())
        await one.go_on(ENOUGH_S)
        assert await readable(one, mine)
        assert not await readable(one, lost)

    sweeping(tmp_path, story)


def test_parameters_of_a_forgotten_job_stay_whatever_the_time_of_the_segment(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        one.broker_off = datetime.now(UTC) - EPOCH - timedelta(days=20)
        mine = one.small("job-1")
        await one.finished("job-1")
        await asyncio.sleep(20 * 24 * HOUR_S)
        await one.go_on(ENOUGH_S + 3 * INTERVAL_S, deep=True)
        assert await readable(one, mine)

    sweeping(tmp_path, story)


def test_a_segment_whose_contents_were_all_erased_is_deleted_in_the_end(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        mine = one.small("job-1")
        await at_the_real_time(one)
        await one.append("job-1", created())
        await one.append("job-1", JobErased(by="acme"))
        await one.once()
        assert not await readable(one, mine)
        assert one.names("segments"), "its writer may still be at work, by a wrong clock"
        await one.go_on(ENOUGH_S)
        assert not one.names("segments")

    sweeping(tmp_path, story)
