"""What changed of an owner's jobs since a place, over a real Postgres: partitions in any order, readers cut off."""

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
class Told:
    """What a reader of the feed heard, in its order: jobs by id and sequence, and batches' counts by status."""

    jobs: list[tuple[str, int]] = field(default_factory=list)
    batches: dict[str, dict[str, int]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def hear(self, page: ChangePage, events: int) -> None:
        """Hears a page, of its jobs the first `events` only; batches go first."""
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


async def rest(feed: ChangeFeed, told: Told, place: StreamPlace, owner: str = OWNER) -> StreamPlace:
    """Hears all there is behind a place."""
    while True:
        page = await feed.page(owner, place)
        told.hear(page, len(page.jobs))
        place = page.end
        if not page.more:
            return place


@hypothesis_settings(max_examples=25)
@given(histories(), st.integers(0, 2**32))
async def test_changes_are_sent_once_in_any_order_of_partitions_and_after_any_disconnect(
    projected: Projected, facts: list[Fact], seed: int
) -> None:
    await projected.empty()
    chance, told, place = random.Random(seed), Told(), START
    apis = [await projected.api(facts=1), await projected.api(facts=3)]
    waiting = {partition: records for partition, records in laid_out(facts, PARTITIONS).items() if records}
    while waiting:
        partition = chance.choice(sorted(waiting))
        cut = chance.randint(1, len(waiting[partition]))
        await projected.handle(partition, waiting[partition][:cut])
        if left := waiting.pop(partition)[cut:]:
            waiting[partition] = left
        if chance.random() < 0.6:  # hears some of it, and comes back with the id of the last event
            page = await chance.choice(apis).page(OWNER, place)
            heard = chance.randint(0, len(page.jobs))
            told.hear(page, heard)
            place = again(behind(place, page, heard))
    await rest(chance.choice(apis), told, place)
    rows = await projected.pool.fetch("SELECT job_id, sequence FROM read_v1.jobs WHERE sequence > 0")
    assert dict(told.jobs) == {row["job_id"]: row["sequence"] for row in rows}, "the last that is told of a job"
    assert len(set(told.jobs)) == len(told.jobs), "no state twice"
    for job_id in {job_id for job_id, _ in told.jobs}:
        sequences = [sequence for told_id, sequence in told.jobs if told_id == job_id]
        assert sequences == sorted(sequences)
    await check_batches(projected, told)


def behind(place: StreamPlace, page: ChangePage, heard: int) -> StreamPlace:
    """The id of the last event that was heard."""
    if heard == len(page.jobs):
        return page.end
    for position, _ in page.jobs[:heard]:
        place = place.after(position)
    return place


def again(place: StreamPlace) -> StreamPlace:
    """As a client sends it back."""
    parsed = StreamPlace.parse(str(place))
    return place if parsed is None else parsed


async def check_batches(projected: Projected, told: Told) -> None:
    rows = await projected.pool.fetch("""
        SELECT b.batch_id, j.status, count(*) AS jobs
        FROM read_v1.batches b JOIN read_v1.jobs j USING (batch_id) GROUP BY b.batch_id, j.status
    """)
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        counts.setdefault(row["batch_id"], {})[row["status"]] = row["jobs"]
    shown = {
        batch_id: {name: count for name, count in found.items() if count} for batch_id, found in told.batches.items()
    }
    assert shown == counts, "the last that is told of a batch is how it stands"


async def test_a_fact_with_an_earlier_time_that_is_committed_later_is_sent(empty: Projected) -> None:
    feed = await empty.api()
    await empty.handle(0, [record(fact("job-new", created(), second=3600), 0, 0)])
    told = Told()
    place = await rest(feed, told, START)
    await empty.handle(17, [record(fact("job-old", created(), second=1), 17, 0)])
    await rest(await empty.api(), told, again(place))
    assert told.jobs == [("job-new", 1), ("job-old", 1)]


async def test_changes_are_sent_to_their_owner_only(empty: Projected) -> None:
    feed = await empty.api()
    facts = [fact(f"job-{number}", created(), owner=("acme", "other")[number % 2]) for number in range(40)]
    for partition, records in laid_out(facts, PARTITIONS).items():
        if records:
            await empty.handle(partition, records)
    for owner, parity in (("acme", 0), ("other", 1), ("nobody", None)):
        told = Told()
        await rest(feed, told, START, owner)
        assert {job_id for job_id, _ in told.jobs} == {f"job-{n}" for n in range(40) if n % 2 == parity}


async def test_many_facts_are_sent_in_pages_and_each_job_once(empty: Projected) -> None:
    feed = await empty.api(facts=7)
    facts = [fact(f"job-{number}", event, second) for number in range(50) for second, event in enumerate(life())]
    await empty.handle(3, [record(one, 3, offset) for offset, one in enumerate(facts)])
    told, place, pages = Told(), START, 0
    while True:
        page = await feed.page(OWNER, place)
        assert len(page.jobs) <= 7
        told.hear(page, len(page.jobs))
        place, pages = page.end, pages + 1
        if not page.more:
            break
    assert told.jobs == [(f"job-{number}", 4) for number in range(50)]
    assert pages == 200 // 7 + 1


async def test_an_erased_job_and_an_erased_batch_are_sent_as_deleted(empty: Projected) -> None:
    feed, told = await empty.api(), Told()
    whole = BatchCreated(count=2, specs=claim("batch-0/specs"), body_sha256="0" * 64)
    log = [record(fact("batch-0", whole), 0, 0), record(fact("job-0", created(), 1), 0, 1)]
    await empty.handle(0, log)
    place = await rest(feed, told, START)
    assert list(told.batches) == ["batch-0"]
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
