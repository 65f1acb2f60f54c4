"""Calls of a blob store that never return hold up no close and no end of a process."""

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from piperoll.store.threads import DaemonThreads

SIZE = 4
ENDS_S = 30.0
HANGING = """
import asyncio, sys, threading
from piperoll.store import blobs

blobs.CLOSE_S = 0.5
never = threading.Event()

async def main():
    store = blobs.AsyncBlobs(blobs.Blobs(sys.argv[1]))
    if sys.argv[2] == "a call":
        store.sync.get = lambda uri: never.wait()
        call = asyncio.create_task(store.get("a"))
    else:
        store._small._segment.append = lambda entries: never.wait()
        call = asyncio.create_task(store.put_input("job-1", b"{}", repeatable=False))
    await asyncio.sleep(0.2)
    call.cancel()
    store.close()
    print("closed")

asyncio.run(main())
"""


@pytest.mark.parametrize("what", ["a call", "a write to a segment"])
def test_a_process_ends_although_its_blob_store_hangs(tmp_path: Path, what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HANGING, tmp_path.as_uri(), what], capture_output=True, timeout=ENDS_S, check=True
    )
    assert b"closed" in done.stdout
    assert b"blob_calls_left_behind" in done.stdout + done.stderr


async def test_calls_run_together_on_as_many_threads_as_there_are() -> None:
    threads, meeting, loop = DaemonThreads(SIZE, "test"), threading.Barrier(SIZE), asyncio.get_running_loop()
    places = await asyncio.gather(*(loop.run_in_executor(threads, meeting.wait, 10) for _ in range(3 * SIZE)))
    assert sorted(places) == sorted([*range(SIZE)] * 3)
    assert threads.close(10)


async def test_the_error_of_a_call_reaches_its_caller_and_the_thread_goes_on() -> None:
    threads, loop = DaemonThreads(1, "test"), asyncio.get_running_loop()
    for number in range(3):
        with pytest.raises(ZeroDivisionError):
            await loop.run_in_executor(threads, lambda: 1 // 0)
        assert await loop.run_in_executor(threads, lambda number=number: number) == number
    assert threads.close(10)


def test_the_close_waits_for_calls_that_were_made_and_no_longer_than_its_bound() -> None:
    threads, begun, go = DaemonThreads(1, "test"), threading.Event(), threading.Event()
    first = threads.submit(lambda: begun.set() or go.wait())  # type: ignore[func-returns-value]
    second = threads.submit(lambda: 2)
    begun.wait(10)
    began = time.monotonic()
    assert not threads.close(0.1)
    assert time.monotonic() - began < 5
    with pytest.raises(RuntimeError, match="closed"):
        threads.submit(lambda: 3)
    go.set()
    assert (first.result(10), second.result(10)) == (True, 2)
