"""What has an age: uploads that no open job uses, cache entries, the specifications of expanded batches."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest

from piperoll.log.record import partition_of
from piperoll.store.blobs import BlobUnreadableError
from schemas.events import BatchExpanded, JobCancelled
from services.worker.cleanup.sweep.keys import FIRST
from tests.support.histories.jobs import created
from tests.support.histories.lives import BATCH
from tests.support.runs.sweeping import HOUR_S, Sweeping, sweeping

DAY_S = 24 * HOUR_S
UPLOAD = "uploads/acme/file-1/a.pdf"
OTHERS = {
    "documents/doc-1/abc",
    "documents/doc-1/details/abc",
    "removed-documents/doc-2",
    "folders/folder-1/details/x",
    "checkpoints/g/0",
    "something/else",
}
SPECS = b'[{"job_type":"pdf","parameters":{"filename":"upload://file-1/a.pdf"}}]'
TTL = {"upload_ttl_s": DAY_S, "cache_ttl_s": 30 * DAY_S}


async def aged(one: Sweeping, seconds: float) -> None:
    """Time passes, and the log shows it."""
    await asyncio.sleep(seconds)
    await one.finished(f"job-at-{one.loop.now}")


def test_uploads_and_cache_entries_go_when_they_are_old(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        one.put(UPLOAD, "cache/acme/k1", *OTHERS)
        await aged(one, DAY_S - 60)
        await one.once()
        assert UPLOAD in one.names()
        await aged(one, 120)
        await one.once()
        assert UPLOAD not in one.names()
        assert "cache/acme/k1" in one.names()
        await aged(one, 30 * DAY_S)
        await one.once(deep=True)
        assert not one.names("cache")
        assert one.names() >= OTHERS

    sweeping(tmp_path, story, **TTL)


def test_an_upload_stays_as_long_as_a_job_that_uses_it_is_open(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        one.put(UPLOAD, "uses/acme/file-1/job-1", "uses/acme/file-1/job-done")
        await one.append("job-1", created())
        await one.finished("job-done")
        await aged(one, 20 * DAY_S)
        await one.go_on()
        assert one.names("u") == {UPLOAD, "uses/acme/file-1/job-1"}
        await one.append("job-1", JobCancelled(by="acme"))
        await one.once()
        assert one.names("u") == set()

    sweeping(tmp_path, story, **TTL)


def test_an_upload_whose_job_is_in_the_partition_of_another_worker_stays(tmp_path: Path) -> None:
    """That worker removes the marker once the job has ended."""
    other = next(f"job-{number}" for number in range(99) if partition_of(f"job-{number}", 2) != FIRST)

    async def story(one: Sweeping) -> None:
        one.put(UPLOAD, f"uses/acme/file-1/{other}")
        await aged(one, 20 * DAY_S)
        backlogs = dict(one.knowledge.backlogs())
        one.knowledge._backlogs = {FIRST: backlogs[FIRST]}
        await one.go_on()
        assert one.names("u") == {UPLOAD, f"uses/acme/file-1/{other}"}
        one.knowledge._backlogs = backlogs
        await one.go_on()
        assert one.names("u") == set()

    sweeping(tmp_path, story, partitions=2, **TTL)


@pytest.mark.parametrize("left", ["specifications", "marker"])
@pytest.mark.parametrize("whose", ["own", "other"])
def test_an_upload_stays_while_a_batch_that_names_it_is_not_expanded(tmp_path: Path, whose: str, left: str) -> None:
    """Also one in the partition of another worker. Batches that an earlier release accepted have no markers."""
    names = (f"batch-{number}" for number in range(99))
    batch = next(name for name in names if (partition_of(name, 2) == FIRST) == (whose == "own"))
    mark, other = f"uses/acme/file-1/{batch}", "uploads/acme/file-2/a.pdf"

    async def story(one: Sweeping) -> None:
        one.put(UPLOAD, other)
        if left == "marker":
            one.put(mark)
        else:
            one.write(f"{batch}/specs/s", SPECS)
        await one.append(batch, BATCH)
        await aged(one, 20 * DAY_S)
        backlogs = one.knowledge.backlogs()
        one.knowledge._backlogs = {FIRST: backlogs[FIRST]}
        await one.once()
        assert UPLOAD in one.names()
        assert other not in one.names()
        one.knowledge._backlogs = dict(backlogs)
        await one.append(batch, BatchExpanded(count=2))
        await one.go_on(HOUR_S * 18)
        assert one.names("u") == one.names("batch") == set()

    sweeping(tmp_path, story, partitions=2, **TTL)


def test_the_marker_of_an_expanded_batch_goes_at_once_and_that_of_an_open_one_stays(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        one.put(UPLOAD, "uses/acme/file-1/batch-1", "uses/acme/file-1/batch-2")
        await one.append("batch-1", BATCH)
        await one.append("batch-2", BATCH)
        await one.append("batch-1", BatchExpanded(count=2))
        await one.once()
        assert one.names("u") == {UPLOAD, "uses/acme/file-1/batch-2"}

    sweeping(tmp_path, story, **TTL)


def test_uploads_stay_while_the_specifications_of_a_batch_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(one: Sweeping) -> None:
        one.put(UPLOAD, "batch-1/specs/s")
        await one.append("batch-1", BATCH)
        await aged(one, 20 * DAY_S)

        async def damaged(uri: str) -> bytes:
            if uri.startswith("batch-"):
                raise BlobUnreadableError("damaged")
            return await real(uri)

        real = one.blobs.get
        monkeypatch.setattr(one.blobs, "get", damaged)
        await one.once()
        assert UPLOAD in one.names()

    sweeping(tmp_path, story, **TTL)


@pytest.mark.parametrize("clock", ["broker_off", "local_off"])
def test_one_clock_that_is_far_ahead_ages_no_upload(tmp_path: Path, clock: str) -> None:
    async def story(one: Sweeping) -> None:
        one.put(UPLOAD, "cache/acme/k1")
        setattr(one, clock, timedelta(days=900))
        await one.finished("job-1")
        await one.once(deep=True)
        assert one.names("u") == {UPLOAD}
        assert one.names("cache")

    sweeping(tmp_path, story, **TTL)


@pytest.mark.parametrize("forgotten", [False, True])
def test_the_specifications_of_an_expanded_batch_go_and_its_name_stays(tmp_path: Path, forgotten: bool) -> None:
    async def story(one: Sweeping) -> None:
        one.put("batch-1/specs/s", "batch-1/in/name", "batch-2/specs/s")
        await one.append("batch-1", BATCH)
        await one.append("batch-2", BATCH)
        await one.append("batch-1", BatchExpanded(count=2))
        await aged(one, 20 * DAY_S if forgotten else 2 * HOUR_S)
        if forgotten:
            await one.go_on(deep=True)
        else:
            await one.once()
        assert one.names("batch") == {"batch-1/in/name", "batch-2/specs/s"}

    sweeping(tmp_path, story)


def test_page_checkpoints_go_when_their_job_has_ended_and_not_before(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        one.put("job-1/pages/0f/run-00000.json", "job-2/pages/0f/run-00000.json", "job-unknown/pages/0f/run-00000.json")
        await one.append("job-1", created())
        await one.append("job-2", created())
        await one.go_on()
        assert len({name for name in one.names() if "/pages/" in name}) == 3
        await one.append("job-1", JobCancelled(by="acme"))
        await one.once()
        assert not one.names("job-1/pages")
        assert one.names("job-2/pages")
        assert one.names("job-unknown/pages")

    sweeping(tmp_path, story, **TTL)


@pytest.mark.parametrize(("read", "stays"), [(None, set()), ({1}, {"job-1/run/a#1"})], ids=["all", "not_the_first"])
def test_what_a_killed_write_left_goes_when_it_is_a_day_old(
    tmp_path: Path, read: set[int] | None, stays: set[str]
) -> None:
    async def story(one: Sweeping) -> None:
        one.put("job-1/in/p")
        for name in ("job-1/run/a#1", "job-1/run/b#2"):
            path = one.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"a part")
        os.utime(one.root / "job-1/run/a#1", (0, 0))
        await one.finished("job-1")
        one.restart(read)
        await one.sweeper.once(asyncio.Event())
        left = {name for name in ("job-1/run/a#1", "job-1/run/b#2") if (one.root / name).exists()}
        assert left == {"job-1/run/b#2"} | stays

    sweeping(tmp_path, story, partitions=2)
