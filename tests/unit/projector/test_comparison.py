"""What `piperoll verify` calls a difference: each kind of fault in the tables is found, and a faultless one is not."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from piperoll.domain.batch import CODEC as BATCH_CODEC
from piperoll.domain.job import Job
from piperoll.history import History
from schemas.envelope import Fact
from schemas.events import BatchCreated
from schemas.ids import member_id
from services.projector.jobs import rows
from services.projector.verify import jobs as comparison
from tests.support.histories.jobs import claim, created, fact, histories, life


def folded() -> Job:
    history = History()
    for second, data in enumerate(life()):
        history.observe(fact("job-a", data, second))
    return history.jobs["job-a"]


def row_of(job: Job) -> dict[str, Any]:
    row = rows.of_job(job, 0)
    return {name: getattr(row, name) for name in row.__slots__}


@given(histories())
def test_the_rows_of_a_fold_differ_in_nothing(facts: list[Fact]) -> None:
    history = History()
    for one in facts:
        history.observe(one)
    for job in history.jobs.values():
        assert comparison.job_violations(job, row_of(job), 0) == []


@given(histories(), st.data())
def test_a_state_of_an_earlier_moment_is_found(facts: list[Fact], data: st.DataObject) -> None:
    history, states = History(), {}
    for one in facts:
        history.observe(one)
        if one.subject in history.jobs:
            states.setdefault(one.subject, []).append(history.jobs[one.subject])
    moved = {job_id: found for job_id, found in states.items() if found[0] != found[-1]}
    assume(moved)
    job_id = data.draw(st.sampled_from(sorted(moved)))
    assert comparison.job_violations(moved[job_id][-1], row_of(moved[job_id][0]), 0)


@pytest.mark.parametrize(
    ("column", "value"),
    [("status", "failed"), ("owner", "else"), ("sequence", 3), ("partition", 1), ("job_type", "pdf"), ("erased", True)],
)
def test_a_column_that_differs_from_the_state_is_found(column: str, value: object) -> None:
    row = {**row_of(folded()), column: value}
    (violation,) = comparison.job_violations(folded(), row, 0)
    assert column in violation.sentence


def test_a_differing_state_names_the_fields() -> None:
    row = row_of(folded())
    row["state"] = row["state"].replace('"percent":100', '"percent":99')
    (violation,) = comparison.job_violations(folded(), row, 0)
    assert violation.sentence == "has percent 99 in its state, 100 in the log"


def test_an_announced_row_of_a_job_that_is_in_the_log_is_behind() -> None:
    (violation,) = comparison.job_violations(folded(), {**row_of(folded()), "sequence": 0, "state": None}, 0)
    assert "has no state" in violation.sentence


def test_an_announced_member_needs_no_fact_but_the_right_place() -> None:
    job_id = member_id("batch-a", 1)
    row = {"job_id": job_id, "sequence": 0, "batch_id": "batch-a", "batch_index": 1}
    assert comparison.unexplained(row) is None
    assert comparison.unexplained({**row, "batch_index": 2}) is not None
    assert comparison.unexplained({**row, "sequence": 1}) is not None


def test_other_events_than_the_accepted_ones_are_found() -> None:
    trails = {"job-a": ["1:0:piperoll.JobCreated.v1"], "job-b": ["1:1:piperoll.JobCreated.v1"]}
    stored = {name: comparison.trail_digest(trail) for name, trail in trails.items()}
    assert list(comparison.trail_violations(trails, stored)) == []
    assert len(list(comparison.trail_violations(trails, {**stored, "job-c": "x"}))) == 1
    assert len(list(comparison.trail_violations(trails, {"job-a": stored["job-b"]}))) == 2


def test_batches_that_differ_or_lack_members_are_found() -> None:
    history = History()
    whole = BatchCreated(count=2, specs=claim("specs"), body_sha256="0" * 64)
    history.observe(fact("batch-a", whole))
    batch = history.batches["batch-a"]
    row = {"batch_id": "batch-a", "count": 2, "members": 2, "state": BATCH_CODEC.dump_json(batch).decode()}
    found = [
        list(comparison.batch_violations({"batch-a": batch}, stored))
        for stored in ([row], [], [{**row, "members": 1}], [{**row, "state": "{}"}], [row, {**row, "batch_id": "b"}])
    ]
    assert [len(each) for each in found] == [0, 1, 1, 1, 1]


def test_what_stands_in_one_place_only_is_counted() -> None:
    sentences = [str(one) for one in comparison.set_violations("the deliveries", {1, 2}, {2, 3, 4})]
    assert sentences == [
        "I3: the deliveries lack 1, such as 1",
        "I3: the deliveries have 2 too many, such as 3",
    ]


def test_a_job_created_again_with_another_body_keeps_its_row() -> None:
    history = History()
    history.observe(fact("job-a", created()))
    before = row_of(history.jobs["job-a"])
    history.observe(fact("job-a", created(has_webhook=True), 5))
    assert row_of(history.jobs["job-a"]) == before
