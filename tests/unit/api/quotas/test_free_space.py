"""The watermark of the disk: below it nothing new is taken, with a sentence that says what to do."""

import asyncio
import threading
from pathlib import Path

import pytest

from services.api.http.errors import ApiError
from services.api.quotas import free_space
from services.api.quotas.free_space import FreeSpace
from tests.support.waiting import wait_until

GB = 1_000_000_000


def any_files(_: Path) -> tuple[int, int]:
    return 0, 0


@pytest.mark.parametrize(
    ("total", "free", "full"),
    [
        (1000 * GB, GB + 1, False),
        (1000 * GB, GB - 1, True),
        (10 * GB, GB // 2, False),
        (10 * GB, GB // 10, True),
        (64_000_000, 2_000_000, False),
    ],
)
async def test_the_watermark_is_a_gigabyte_or_2_percent_of_a_small_disk(total: int, free: int, full: bool) -> None:
    space = FreeSpace(Path("/anywhere"), GB, lambda _: (total, total - free, free), any_files)
    if not full:
        await space.require()
        return
    with pytest.raises(ApiError) as error:
        await space.require()
    assert (error.value.status, error.value.code.value) == (507, "INSUFFICIENT_STORAGE")
    assert int(error.value.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("watermark", "files", "free", "full"),
    [(GB, 1000, 21, False), (GB, 1000, 19, True), (GB, 0, 0, False), (GB, 1000, 0, False), (0, 1000, 19, False)],
)
async def test_a_disk_without_room_for_files_is_full_too(watermark: int, files: int, free: int, full: bool) -> None:
    space = FreeSpace(Path("/anywhere"), watermark, lambda _: (1000 * GB, 0, 1000 * GB), lambda _: (files, free))
    if full:
        with pytest.raises(ApiError):
            await space.require()
    else:
        await space.require()


async def test_the_file_system_is_looked_at_once_a_second_and_room_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    looks, free = list[Path](), [0]

    def usage(folder: Path) -> tuple[int, int, int]:
        looks.append(folder)
        return 1000 * GB, 0, free[0]

    space = FreeSpace(Path("/anywhere"), GB, usage, any_files)
    for _ in range(5):
        with pytest.raises(ApiError):
            await space.require()
    assert len(looks) == 1
    free[0] = 2 * GB
    monkeypatch.setattr(free_space, "LOOK_S", 0.0)
    await space.require()


async def test_a_store_elsewhere_and_a_disk_that_cannot_be_asked_have_no_watermark() -> None:
    await FreeSpace(None, GB).require()
    await FreeSpace(Path("/missing/folder"), GB).require()


async def test_a_file_system_that_hangs_holds_up_one_request_for_a_moment_and_no_thread_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers, looks = threading.Event(), list[Path]()

    def usage(folder: Path) -> tuple[int, int, int]:
        looks.append(folder)
        answers.wait(60)
        return 1000 * GB, 0, 0

    monkeypatch.setattr(free_space, "LOOK_S", 0.0)
    monkeypatch.setattr(free_space, "WAIT_S", 0.01, raising=False)
    space = FreeSpace(Path("/anywhere"), GB, usage, any_files)
    async with asyncio.timeout(5):
        for _ in range(40):
            await space.require()
        await asyncio.to_thread(str)
    assert len(looks) == 1
    answers.set()

    async def is_full() -> bool:
        try:
            await space.require()
        except ApiError:
            return True
        return False

    await wait_until(is_full, 5, "what the file system answered late")
