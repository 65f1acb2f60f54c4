"""Whether a checkpoint is of this log, how lag is judged, and how an outage is outlasted."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from piperoll.log.continuity import PartitionView, StoredPosition, divergence
from piperoll.outages import LONGEST_PAUSE_S, Outage, StoppedWaitingError, pauses
from piperoll.store.blobs import BlobStoreError
from schemas.read_model import POSITIONS_CHANNEL
from schemas.topics import JOB_DELIVERIES, JOB_EVENTS
from services.projector.metrics import CAUGHT_UP_RECORDS, STILL_S, Lag
from services.projector.tables.schema import queries
from tests.support.histories.jobs import created, fact, record

LAST = record(fact("job-a", created()), 0, 9)
STORED = StoredPosition(next_offset=10, cluster_id="cluster", last_ce_id=LAST.ce_id)
VIEW = PartitionView(cluster_id="cluster", begin=0, end=12, last=LAST)


def test_a_checkpoint_of_this_log_is_accepted() -> None:
    assert divergence(JOB_EVENTS, STORED, VIEW) is None


def test_a_checkpoint_before_the_first_record_is_accepted() -> None:
    assert divergence(JOB_EVENTS, StoredPosition(0, None, "cluster"), replace(VIEW, last=None)) is None


@pytest.mark.parametrize(
    ("view", "says"),
    [
        (replace(VIEW, cluster_id="another"), "of the cluster"),
        (replace(VIEW, end=9), "ends at 9"),
        (replace(VIEW, begin=11), "begins at 11"),
        (replace(VIEW, last=None), "is missing"),
        (replace(VIEW, last=record(fact("job-b", created()), 0, 9)), "it was"),
    ],
)
def test_another_history_under_the_checkpoint_is_a_divergence(view: PartitionView, says: str) -> None:
    problem = divergence(JOB_EVENTS, STORED, view)
    assert problem is not None
    assert says in problem


def test_expired_deliveries_are_no_divergence() -> None:
    assert divergence(JOB_DELIVERIES, STORED, replace(VIEW, begin=11, last=None)) is None


def test_the_sql_of_another_schema_writes_and_notifies_nothing_of_the_live_one() -> None:
    for statement in queries("queries.sql", "elsewhere").values():
        assert "read_v1" not in statement


def test_positions_are_announced_on_the_channel_of_the_contract() -> None:
    assert f"'{POSITIONS_CHANNEL}'" in queries("queries.sql")["advance"]


def test_lag_is_a_problem_only_when_it_is_large_and_still() -> None:
    now = 0.0
    lag = Lag("jobs", clock=lambda: now)
    lag.moved(0, CAUGHT_UP_RECORDS + 1)
    assert lag.problem() is None
    now = STILL_S + 1
    assert "are not projected" in (lag.problem() or "")
    lag.forget(0)
    assert lag.problem() is None


def test_pauses_double_up_to_their_bound() -> None:
    found = [pause for pause, _ in zip(pauses(), range(8), strict=False)]
    assert found == [0.1, 0.2, 0.4, 0.8, 1.6, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


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
    said: list[str | None] = []

    async def work() -> str:
        said.append(outage.problem())
        if len(said) == 1:
            raise error
        return "done"

    assert await outage.outlast(work) == "done"
    assert said[0] is None
    assert "does not answer" in (said[1] or "")
    assert outage.problem() is None


async def test_a_fault_is_no_outage() -> None:
    async def work() -> None:
        raise asyncpg.UniqueViolationError("twice")

    with pytest.raises(asyncpg.UniqueViolationError):
        await Outage("Postgres", asyncio.Event()).outlast(work)


async def test_being_told_to_stop_ends_the_waiting() -> None:
    stopping = asyncio.Event()
    stopping.set()

    async def work() -> None:
        raise OSError("refused")

    with pytest.raises(StoppedWaitingError):
        await Outage("Postgres", stopping).outlast(work)
