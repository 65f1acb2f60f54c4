"""Drawn ids go round the partitions, one after the other."""

from hypothesis import given
from hypothesis import strategies as st

from piperoll.log.record import partition_of
from services.api.jobs.id_spread import IdSpread


@given(st.integers(1, 30), st.integers(1, 60))
def test_consecutive_jobs_go_to_consecutive_partitions(partitions: int, jobs: int) -> None:
    spread = IdSpread(partitions)
    ids = [spread.draw() for _ in range(jobs)]
    assert [partition_of(job_id, partitions) for job_id in ids] == [number % partitions for number in range(jobs)]
    assert len(set(ids)) == jobs
