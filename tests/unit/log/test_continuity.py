"""Whether a stored position is of this log."""

from dataclasses import replace

import pytest

from piperoll.log.continuity import PartitionView, StoredPosition, divergence, divergences
from schemas.topics import JOB_DELIVERIES, JOB_EVENTS
from tests.support.histories.jobs import created, fact, record
from tests.support.memory_log import MemoryLog

LAST = record(fact("job-a", created()), 0, 9)
STORED = StoredPosition(next_offset=10, cluster_id="cluster", last_ce_id=LAST.ce_id)
VIEW = PartitionView(cluster_id="cluster", begin=0, end=12, last=LAST)


def test_a_checkpoint_of_this_log_is_accepted() -> None:
    assert divergence(JOB_EVENTS, STORED, VIEW) is None


def test_a_checkpoint_before_the_first_record_is_accepted() -> None:
    assert divergence(JOB_EVENTS, StoredPosition(0, None, "cluster"), replace(VIEW, last=None)) is None


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        (replace(VIEW, cluster_id="another"), "of the cluster"),
        (replace(VIEW, end=9), "ends at 9"),
        (replace(VIEW, begin=11), "begins at 11"),
        (replace(VIEW, last=None), "is missing"),
        (replace(VIEW, last=record(fact("job-b", created()), 0, 9)), "it was"),
    ],
)
def test_another_history_under_the_checkpoint_is_a_divergence(view: PartitionView, sentence: str) -> None:
    problem = divergence(JOB_EVENTS, STORED, view)
    assert problem is not None
    assert sentence in problem


def test_expired_deliveries_are_not_a_divergence() -> None:
    assert divergence(JOB_DELIVERIES, STORED, replace(VIEW, begin=11, last=None)) is None


async def test_only_the_partitions_that_differ_are_named() -> None:
    log = MemoryLog(partitions=1)
    for second in range(2):
        await log.append(JOB_EVENTS, fact("job-a", created(), second))
    (last,) = await log.read_range(JOB_EVENTS, {0: 1}, {0: 2})
    assert await divergences(log, JOB_EVENTS, {0: StoredPosition(2, last.ce_id)}) == {}
    found = await divergences(log, JOB_EVENTS, {0: StoredPosition(1, last.ce_id)})
    assert "the record at 0 is" in found[0]
