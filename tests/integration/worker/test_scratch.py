"""Folders that killed runs left on disk."""

import asyncio

import pytest

from services.worker.children.scratch import ScratchFolder
from tests.support.children import assignment, running_pool, started, until


async def test_what_a_killed_run_left_on_disk_is_removed(tmp_path):
    made = tmp_path / "work"
    async with running_pool(tmp_path) as pool:
        given = assignment(tmp_path, sleep_s=600, steps=1000)
        task = await started(pool, given)
        (work,) = made.iterdir()
        (left,) = work.glob("child-*")
        (left / "closed" / "half").write_bytes(b"x")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: not left.exists(), "the child's folder is gone")


def test_a_living_workers_folder_is_left_alone(tmp_path):
    first = ScratchFolder(str(tmp_path))
    second = ScratchFolder(str(tmp_path))
    assert first.path.exists()
    assert second.path.exists()
    first.close()
    second.close()
    assert list(tmp_path.iterdir()) == []
