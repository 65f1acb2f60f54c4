"""The changes of the jobs of an owner since a place: partitions in any order, readers that disconnect."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import asyncpg
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from piperoll.settings import Settings
from schemas.envelope import Fact
from schemas.events import BatchCreated, BatchErased, JobErased, JobProgress, JobStarted
from schemas.ids import member_id
from services.api.http.errors import ReadModelUnavailableError
from services.api.owner_stream.changes import ChangeFeed, ChangePage, StreamPlace
from tests.support.histories.jobs import OWNER, claim, created, fact, histories, laid_out, life, record
from tests.support.stacks.feeding import PARTITIONS, Projected, projected_tables

START = StreamPlace(())


@dataclass
class Received:
    """The changes that a reader has received, in order: jobs by id and sequence, the counts of batches by status."""

    jobs: list[tuple[str, int]] = field(default_factory=list)
    batches: dict[str, dict[str, int]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def take(self, page: ChangePage, events: int) -> None:
        """Take the batches of a page and its first `events` jobs."""
        for listed in page.batches:
            self.batches[listed.batch.batch_id] = {status.value: count for status, count in listed.counts.items()}
        self.gone |= set(page.deleted)
        self.jobs += [(row.job_id, row.standing.sequence) for _, row in page.jobs[:events]]


@pytest.fixture(scope="module")
async def projected(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[Projected]:
    async with projected_tables(settings, pool) as made:
        yield made


@pytest.fixture
async def empty(projected: Projected) -> Projected:
    await projected.empty()
    return projected


async def rest(feed: ChangeFeed, received: Received, place: StreamPlace, owner: str = OWNER) -> StreamPlace:
    """Read all pages behind a place."""
    while True:
        page = await feed.page(owner, place)
        received.take(page, len(page.jobs))
        place = page.end
        if not page.more:
            return place


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


def again(place: StreamPlace) -> StreamPlace:
    """The place as a client sends it back."""
    parsed = StreamPlace.parse(str(place))
    return place if parsed is None else parsed


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
