"""The changes of the jobs of an owner since a place: partitions in any order, readers that disconnect."""

import random

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from schemas.envelope import Fact
from services.api.owner_stream.changes import ChangePage, StreamPlace
from tests.support.histories.jobs import OWNER, histories, laid_out
from tests.support.stacks.feeding import PARTITIONS, Projected
from tests.support.stacks.following import START, Received, again, rest


@hypothesis_settings(max_examples=25)
@given(histories(), st.integers(0, 2**32))
async def test_changes_are_sent_once_in_any_order_of_partitions_and_after_any_disconnect(
    projected: Projected, facts: list[Fact], seed: int
) -> None:
    await projected.empty()
    chance, received, place = random.Random(seed), Received(), START
    apis = [await projected.api(facts=1), await projected.api(facts=3)]
    waiting = {partition: records for partition, records in laid_out(facts, PARTITIONS).items() if records}
    while waiting:
        partition = chance.choice(sorted(waiting))
        cut = chance.randint(1, len(waiting[partition]))
        await projected.handle(partition, waiting[partition][:cut])
        if left := waiting.pop(partition)[cut:]:
            waiting[partition] = left
        if chance.random() < 0.6:  # reads some of it, and returns with the id of the last event
            page = await chance.choice(apis).page(OWNER, place)
            count = chance.randint(0, len(page.jobs))
            received.take(page, count)
            place = again(behind(place, page, count))
    await rest(chance.choice(apis), received, place)
    rows = await projected.pool.fetch("SELECT job_id, sequence FROM read_v1.jobs WHERE sequence > 0")
    assert dict(received.jobs) == {row["job_id"]: row["sequence"] for row in rows}, "the last state of each job"
    assert len(set(received.jobs)) == len(received.jobs), "no state twice"
    for job_id in {job_id for job_id, _ in received.jobs}:
        sequences = [sequence for other_id, sequence in received.jobs if other_id == job_id]
        assert sequences == sorted(sequences)
    await check_batches(projected, received)


def behind(place: StreamPlace, page: ChangePage, count: int) -> StreamPlace:
    """The place of the last event that was received."""
    if count == len(page.jobs):
        return page.end
    for position, _ in page.jobs[:count]:
        place = place.after(position)
    return place


async def check_batches(projected: Projected, received: Received) -> None:
    rows = await projected.pool.fetch("""
        SELECT b.batch_id, j.status, count(*) AS jobs
        FROM read_v1.batches b JOIN read_v1.jobs j USING (batch_id) GROUP BY b.batch_id, j.status
    """)
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        counts.setdefault(row["batch_id"], {})[row["status"]] = row["jobs"]
    shown = {
        batch_id: {name: count for name, count in found.items() if count}
        for batch_id, found in received.batches.items()
    }
    assert shown == counts, "the last counts of each batch"
