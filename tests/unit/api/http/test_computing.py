"""Large bodies are parsed one at a time, and one owner's take a part of the time."""

import asyncio
import threading
import time

import pytest

from piperoll.settings import Settings
from services.api.http import computing
from services.api.http.admission import Traffic, TrafficLimits
from services.api.http.computing import Computing


async def test_one_call_runs_at_a_time() -> None:
    running, seen = threading.Semaphore(1), list[bool]()

    def call() -> None:
        seen.append(running.acquire(blocking=False))
        time.sleep(0.001)
        running.release()

    shared = Computing()
    await asyncio.gather(*(shared.run(f"owner-{number}", call) for number in range(20)))
    assert seen == [True] * 20


async def test_an_owner_rests_after_a_call_and_another_one_does_not_wait_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(computing, "REST", 1e6)
    shared = Computing()
    await shared.run("greedy", time.sleep, 0.001)
    second = asyncio.create_task(shared.run("greedy", time.sleep, 0))
    for number in range(3):
        assert await asyncio.wait_for(shared.run(f"modest-{number}", lambda: "done"), 5) == "done"
    assert not second.done()
    second.cancel()


async def test_an_owner_that_has_rested_goes_on_also_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "REST", 0.1)
    shared = Computing()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(shared.run("owner", lambda: 1 / 0), 5)


async def test_a_request_computes_for_its_owner() -> None:
    admitted = Traffic(TrafficLimits.of(Settings())).enter("owner")
    assert await admitted.compute(sum, (1, 2)) == 3
    admitted.close()
