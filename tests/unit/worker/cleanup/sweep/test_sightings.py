"""How often and for how long sweeps must see what has no fact, for every kind, by a separate count of this module."""

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.store.blobs import BlobMissingError
from schemas.events import JobCancelled
from services.worker.cleanup.sweep.evidence import Sighting, Traces, is_due, sighted
from tests.support.runs.sweeping import HOUR_S, Sweeping, sweeping
from tests.support.simulation.virtual_time import EPOCH

LEAST = 3  # sightings: with fewer, an append that waits for the end of an outage may come too late
LEAST_AGE = timedelta(hours=48)
FOLDERS = {
    "job": "job-lost/in/p",
    "batch": "batch-lost/specs/s",
    "document": "documents/doc-lost/a",
    "folder": "folders/folder-lost/details/a",
    "marker": "uses/acme/file-1/job-lost",
}
HOURS = (0.1, 1.0, 6.0, 24.0, 49.0, 100.0)


@dataclass
class Count:
    """Consecutive sightings of the same blobs at times that did not go back. Each pause counts up to an interval."""

    interval: timedelta
    times: tuple[datetime, ...] = ()
    traces: Traces | None = None

    def see(self, traces: Traces, now: datetime) -> None:
        same = traces == self.traces and self.times and self.times[-1] <= now
        self.times = (*self.times, now) if same else (now,)
        self.traces = traces

    @property
    def is_enough(self) -> bool:
        pauses = [after - before for before, after in zip(self.times, self.times[1:], strict=False)]
        age = sum((min(pause, self.interval) for pause in pauses), timedelta())
        return len(self.times) >= LEAST and age >= LEAST_AGE


@given(
    st.sampled_from(HOURS),
    st.lists(st.tuples(st.sampled_from([*HOURS, 0.0, -1.0]), st.booleans() | st.just(False)), max_size=30),
)
def test_an_id_is_due_once_it_was_seen_often_enough_and_for_long_enough(
    interval_h: float, sweeps: list[tuple[float, bool]]
) -> None:
    now, blobs, known = datetime(2026, 1, 1, tzinfo=UTC), 1, None
    count = Count(timedelta(hours=interval_h))
    for pause_h, changed in sweeps:
        now += timedelta(hours=pause_h)
        blobs += changed
        traces = Traces(blobs, EPOCH)
        known = sighted(known, traces, now, count.interval)
        count.see(traces, now)
        assert is_due(known, now) == count.is_enough


@pytest.mark.parametrize("age_h", [47, 48])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_neither_the_number_nor_the_age_is_enough_alone(count: int, age_h: int) -> None:
    now = EPOCH + timedelta(hours=age_h)
    one = Sighting(EPOCH, count, Traces(1, EPOCH), now)
    assert is_due(one, now) == (count == LEAST and age_h == 48)


@pytest.mark.parametrize("seed", range(8))
def test_no_kind_goes_before_its_third_sighting_and_every_kind_goes_then(tmp_path: Path, seed: int) -> None:
    """Sweeps at drawn intervals, after drawn pauses, of blobs that are sometimes written again."""
    dice = random.Random(seed)
    interval_h = dice.choice([4.0, 6.0, 24.0, 100.0])

    async def story(one: Sweeping) -> None:
        one.broker_off = one.local_off = one.store_off = datetime.now(UTC) - EPOCH  # segments have the machine's time
        small = one.small("job-lost-too")
        await asyncio.sleep(3 * HOUR_S)
        one.put(*FOLDERS.values())
        counts = {kind: Count(timedelta(hours=interval_h)) for kind in (*FOLDERS, "line")}
        left = set(counts)
        written = dict.fromkeys(counts, 0)
        for number in range(30):
            kind = dice.choice(list(FOLDERS))
            if dice.random() < 0.3 and kind in left and number < 12:
                one.put(FOLDERS[kind])
                written[kind] += 1
            pauses_h = [interval_h, *HOURS] if number < 12 else [interval_h, 150.0]
            await asyncio.sleep(dice.choice(pauses_h) * HOUR_S)
            await one.append("job-later", JobCancelled(by="acme"))
            await one.once(deep=True)
            for kind in left:
                counts[kind].see(Traces(written[kind], EPOCH), one.sweep._planner._time.now() or EPOCH)
            left -= {kind for kind in left if counts[kind].is_enough}
            there = {kind for kind, uri in FOLDERS.items() if uri in one.names()}
            if await is_readable(one, small):
                there.add("line")
            assert there == left
        assert left == set()

    sweeping(tmp_path, story, sweep_interval_s=interval_h * HOUR_S, upload_ttl_s=1)


async def is_readable(one: Sweeping, uri: str) -> bool:
    try:
        return bool(await one.blobs.get(uri))
    except BlobMissingError:
        return False
