"""Child processes that are cancelled, die, or are replaced."""

import asyncio
import os
import signal
import sys

import psutil
import pytest

from piperoll.settings import Settings
from services.worker.children.pool import ChildPool, PoolStoppedError
from services.worker.children.protocol import Completed
from services.worker.children.scratch import ScratchFolder
from tests.support.children import assignment, children, ignore, running_pool, started, started_on, until
from tests.support.waiting import PATIENCE_S


async def test_cancelling_a_run_kills_its_child_and_waits_for_the_exit(tmp_path):
    async with running_pool(tmp_path) as pool:
        (pid,) = children()
        task = await started(pool, assignment(tmp_path, sleep_s=600, steps=1000))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not psutil.pid_exists(pid)
        assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)
        assert pid not in children()


async def test_the_replacement_of_a_child_is_known_by_the_run_that_ended_it(tmp_path):
    async with running_pool(tmp_path) as pool:
        given = assignment(tmp_path, sleep_s=600, steps=1000)
        task = await started(pool, given)
        assert pool.replacement(given.run) is None
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        replacement = pool.replacement(given.run)
        assert replacement is not None
        await replacement
        assert len(children()) == 1
        await until(lambda: pool.replacement(given.run) is None, "the replacement is forgotten")
        usual = assignment(tmp_path)
        assert isinstance(await pool.run(usual, ignore), Completed)
        assert pool.replacement(usual.run) is None


async def test_a_cancelled_wait_for_a_child_costs_no_child(tmp_path, held):
    async with running_pool(tmp_path) as pool:
        before = set(children())
        first = await started_on(pool, tmp_path, held)
        waiting = asyncio.create_task(pool.run(assignment(tmp_path), ignore))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        held.release()
        assert isinstance(await first, Completed)
        assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)
        assert set(children()) == before


async def test_a_child_is_replaced_after_so_many_jobs(tmp_path):
    async with running_pool(tmp_path, child_jobs=2) as pool:
        seen = []
        for _ in range(4):
            assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)
            seen.append(set(children()))
        await until(lambda: children().keys() - seen[0], "the first child was replaced")


async def test_an_idle_child_that_dies_is_replaced(tmp_path):
    async with running_pool(tmp_path) as pool:
        (pid,) = children()
        os.kill(pid, signal.SIGKILL)
        await until(lambda: children().keys() - {pid}, "another child is there")
        assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)


async def test_children_that_cannot_start_are_a_problem_and_not_a_busy_loop(tmp_path):
    settings = Settings(blob_url="nowhere://at-all", work_dir=str(tmp_path))
    pool = ChildPool(settings, 2)
    await pool.start()
    try:
        problem = pool.problem()
        assert problem
        assert "did not start" in problem
        assert "nowhere" in problem
        assert children() == {}
    finally:
        await pool.stop()


async def test_stopping_ends_runs_waiters_and_children(tmp_path):
    async with running_pool(tmp_path) as pool:
        busy = await started(pool, assignment(tmp_path, sleep_s=600, steps=1000))
        waiting = asyncio.create_task(pool.run(assignment(tmp_path), ignore))
        await asyncio.sleep(0)
        await pool.stop()
        assert children() == {}
        for task in (busy, waiting):
            with pytest.raises(PoolStoppedError):
                await task


async def test_children_hold_none_of_the_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("PIPEROLL_SEAL_KEYS", "")
    monkeypatch.setenv("PIPEROLL_KEY_PEPPER", "never to be seen")
    async with running_pool(tmp_path):
        (child,) = children().values()
        assert not [name for name in child.environ() if name.startswith("PIPEROLL_")]


async def test_children_die_with_a_worker_that_is_killed(tmp_path):
    script = f"""
import asyncio
from piperoll.settings import Settings
from services.worker.children.pool import ChildPool

async def main():
    pool = ChildPool(Settings(blob_url="file://{tmp_path}/blobs", work_dir="{tmp_path}/work"), 2)
    await pool.start()
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
    worker = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(PATIENCE_S):
        while await worker.stdout.readline() != b"ready\n":
            assert worker.returncode is None
    orphans = psutil.Process(worker.pid).children(recursive=True)
    assert len(orphans) == 2 * 3  # each with its two sandboxes
    worker.kill()
    await worker.wait()
    await until(lambda: not any(orphan.is_running() for orphan in orphans), "no child outlives its worker")
    left = list((tmp_path / "work").iterdir())
    assert len(left) == 1
    ScratchFolder(str(tmp_path / "work")).close()  # the next worker to start
    assert list((tmp_path / "work").iterdir()) == []
