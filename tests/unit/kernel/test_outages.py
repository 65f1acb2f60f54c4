"""How an outage is outlasted, and what ends the wait."""

import asyncio

import asyncpg
import pytest

from piperoll.clock import pauses
from piperoll.outages import Outage, StoppedWaitingError, raise_faults
from piperoll.store.blobs import BlobStoreError
from tests.support.outages import held_up, succeed


def test_pauses_double_up_to_their_bound() -> None:
    found = [pause for pause, _ in zip(pauses(), range(8), strict=False)]
    assert found == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]


@pytest.mark.parametrize(
    "error",
    [
        OSError("refused"),
        TimeoutError(),
        BlobStoreError("away"),
        asyncpg.AdminShutdownError("going down"),
        asyncpg.DeadlockDetectedError("deadlock"),
        asyncpg.InterfaceError("connection is closed"),
    ],
)
async def test_an_outage_is_outlasted_and_named_meanwhile(error: Exception) -> None:
    outage = Outage("Postgres", asyncio.Event())
    problems: list[str | None] = []

    async def work() -> str:
        problems.append(outage.problem())
        if len(problems) == 1:
            raise error
        return "done"

    assert await outage.outlast(work) == "done"
    assert problems[0] is None
    assert "does not answer" in (problems[1] or "")
    assert outage.problem() is None


async def test_a_fault_is_not_an_outage() -> None:
    async def work() -> None:
        raise asyncpg.UniqueViolationError("twice")

    with pytest.raises(asyncpg.UniqueViolationError):
        await Outage("Postgres", asyncio.Event()).outlast(work)


async def test_a_stop_ends_the_waiting() -> None:
    stopping = asyncio.Event()
    stopping.set()

    async def work() -> None:
        raise OSError("refused")

    with pytest.raises(StoppedWaitingError):
        await Outage("Postgres", stopping).outlast(work)


def test_the_first_fault_of_nested_groups_is_raised_by_itself() -> None:
    stopped, fault = StoppedWaitingError("stopped"), ValueError("a fault")
    with pytest.raises(ValueError, match="a fault"):
        raise_faults(ExceptionGroup("service", [stopped, ExceptionGroup("readers", [stopped, fault])]))


def test_a_wait_that_the_stop_ended_is_no_fault() -> None:
    raise_faults(ExceptionGroup("service", [ExceptionGroup("readers", [StoppedWaitingError("stopped")])]))


async def test_the_success_of_one_work_does_not_hide_that_another_waits() -> None:
    outage = Outage("Postgres", asyncio.Event())
    async with held_up(outage):
        await succeed(outage)
        assert "does not answer" in (outage.problem() or "")
    assert outage.problem() is None


async def test_work_that_ends_by_a_fault_or_a_cancellation_leaves_no_outage_behind() -> None:
    outage = Outage("Postgres", asyncio.Event())
    errors = iter([OSError("refused"), ValueError("a fault")])

    async def work() -> None:
        raise next(errors)

    with pytest.raises(ValueError, match="a fault"):
        await outage.outlast(work)
    assert outage.problem() is None
