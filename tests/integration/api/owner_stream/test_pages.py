"""Pages of changes: their order, owner and size, and the queries behind them."""

import asyncio

import pytest

from schemas.events import BatchCreated, BatchErased, JobErased, JobProgress, JobStarted
from schemas.ids import member_id
from services.api.http.errors import ReadModelUnavailableError
from services.api.owner_stream.changes import ChangePage
from tests.support.histories.jobs import OWNER, claim, created, fact, laid_out, life, record
from tests.support.stacks.feeding import PARTITIONS, Projected
from tests.support.stacks.following import START, Received, again, rest


@pytest.fixture
async def empty(projected: Projected) -> Projected:
    await projected.empty()
    return projected


async def test_a_fact_with_an_earlier_time_that_is_committed_later_is_sent(empty: Projected) -> None:
    feed = await empty.api()
    await empty.handle(0, [record(fact("job-new", created(), second=3600), 0, 0)])
    received = Received()
    place = await rest(feed, received, START)
    await empty.handle(17, [record(fact("job-old", created(), second=1), 17, 0)])
    await rest(await empty.api(), received, again(place))
    assert received.jobs == [("job-new", 1), ("job-old", 1)]


async def test_changes_are_sent_to_their_owner_only(empty: Projected) -> None:
    feed = await empty.api()
    facts = [fact(f"job-{number}", created(), owner=("acme", "other")[number % 2]) for number in range(40)]
    for partition, records in laid_out(facts, PARTITIONS).items():
        if records:
            await empty.handle(partition, records)
    for owner, parity in (("acme", 0), ("other", 1), ("none", None)):
        received = Received()
        await rest(feed, received, START, owner)
        assert {job_id for job_id, _ in received.jobs} == {f"job-{n}" for n in range(40) if n % 2 == parity}


async def test_many_facts_are_sent_in_pages_and_each_job_once(empty: Projected) -> None:
    feed = await empty.api(facts=7)
    facts = [fact(f"job-{number}", event, second) for number in range(50) for second, event in enumerate(life())]
    await empty.handle(3, [record(one, 3, offset) for offset, one in enumerate(facts)])
    received, place, pages = Received(), START, 0
    while True:
        page = await feed.page(OWNER, place)
        assert len(page.jobs) <= 7
        received.take(page, len(page.jobs))
        place, pages = page.end, pages + 1
        if not page.more:
            break
    assert received.jobs == [(f"job-{number}", 4) for number in range(50)]
    assert pages == 200 // 7 + 1


async def test_an_erased_job_and_an_erased_batch_are_sent_as_deleted(empty: Projected) -> None:
    feed, received = await empty.api(), Received()
    whole = BatchCreated(count=2, specs=claim("batch-0/specs"), body_sha256="0" * 64)
    log = [record(fact("batch-0", whole), 0, 0), record(fact("job-0", created(), 1), 0, 1)]
    await empty.handle(0, log)
    place = await rest(feed, received, START)
    assert list(received.batches) == ["batch-0"]
    await empty.handle(0, [record(fact("job-0", JobErased(by=OWNER), 9), 0, 2)])
    page = await feed.page(OWNER, place)
    assert [row.erased for _, row in page.jobs] == [True]
    await empty.handle(0, [record(fact("batch-0", BatchErased(by=OWNER), 9), 0, 3)])
    page = await feed.page(OWNER, page.end)
    assert (page.jobs, page.batches, page.deleted) == ((), (), ("batch-0",))


async def test_progress_of_a_member_does_not_recount_its_batch(empty: Projected) -> None:
    feed = await empty.api()
    whole = BatchCreated(count=1, specs=claim("batch-9/specs"), body_sha256="0" * 64)
    member = member_id("batch-9", 0)
    started = JobStarted(number=1, run="run-a", worker="w")
    start = [fact("batch-9", whole), fact(member, created("batch-9")), fact(member, started)]
    await empty.handle(5, [record(one, 5, offset) for offset, one in enumerate(start)])
    page = await feed.page(OWNER, START)
    assert [listed.counts["processing"] for listed in page.batches] == [1]
    place = page.end
    progress = JobProgress(run="run-a", sequence=1, step="extracting_text", percent=40)
    await empty.handle(5, [record(fact(member, progress, 5), 5, 3)])
    page = await feed.page(OWNER, place)
    assert [row.job.percent for _, row in page.jobs if row.job] == [40]
    assert page.batches == ()


async def test_equal_questions_at_the_same_time_share_one_query(empty: Projected) -> None:
    feed = await empty.api()
    await empty.handle(0, [record(fact("job-0", created()), 0, 0)])
    pages = await asyncio.gather(*(feed.page(OWNER, START) for _ in range(50)))
    assert {id(page) for page in pages} == {id(pages[0])}
    leaving = asyncio.create_task(feed.page(OWNER, START))
    staying = asyncio.create_task(feed.page(OWNER, START))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).jobs[0][1].job_id == "job-0"


async def test_no_query_is_sent_while_no_position_moves(empty: Projected) -> None:
    feed = await empty.api()
    await empty.handle(0, [record(fact("job-0", created()), 0, 0)])
    place = (await feed.page(OWNER, START)).end
    await empty.pool.execute("ALTER TABLE read_v1.events RENAME TO events_away")
    try:
        assert await feed.page(OWNER, place) == ChangePage(place)
        with pytest.raises(ReadModelUnavailableError):
            await feed.page(OWNER, START)
    finally:
        await empty.pool.execute("ALTER TABLE read_v1.events_away RENAME TO events")
