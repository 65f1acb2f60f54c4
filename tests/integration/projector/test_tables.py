"""The projector's statements on a real Postgres: the same tables in any order of polls and partitions."""

import random

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from schemas.envelope import Fact
from tests.support.histories.jobs import (
    created,
    fact,
    histories,
    laid_out,
    life,
    record,
)
from tests.support.projector.tables import PARTITIONS, Projecting, Projectors, polls


@hypothesis_settings(max_examples=15)  # each fills two schemas
@given(histories(), st.lists(st.integers(0, 20), max_size=3).map(sorted), st.integers(0, 2**32))
async def test_partitions_may_be_read_in_any_order_and_any_polls(
    projectors: Projectors, facts: list[Fact], cuts: list[int], seed: int
) -> None:
    log = laid_out(facts, PARTITIONS)
    plain, shuffled = await projectors.make(), await projectors.make()
    for partition, records in log.items():
        for one in records:
            await plain.jobs.handle(partition, [one])
    waiting = [(partition, polls(records, cuts)) for partition, records in log.items()]
    order = random.Random(seed)
    while waiting := [(partition, left) for partition, left in waiting if left]:
        partition, left = order.choice(waiting)
        await shuffled.jobs.handle(partition, left.pop(0))
    assert await shuffled.tables() == await plain.tables()


async def test_a_poll_handed_over_again_changes_nothing(projecting: Projecting) -> None:
    records = [record(fact("job-a", data, second), 0, second) for second, data in enumerate(life())]
    await projecting.jobs.handle(0, records)
    before = await projecting.tables()
    await projecting.jobs.revoked({0})
    await projecting.jobs.handle(0, records)
    await projecting.jobs.handle(0, [*records[2:], record(fact("job-a", created(), 9), 0, 4)])
    assert await projecting.tables() == before
