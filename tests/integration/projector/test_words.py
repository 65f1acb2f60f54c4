"""The words of jobs: read after the projection, gone with the erasure."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from piperoll.claimed_content import ClaimedContent
from schemas.claims import Claim
from schemas.events import Event, JobErased
from services.projector.database.session import Session
from services.projector.words.reading import WordReader
from tests.support.histories.jobs import RUNS, completed, created, fact, life, record
from tests.support.projector.tables import Projecting

JOB = "job-a"


class WatchedContent(ClaimedContent):
    """Content of which each piece that was read is followed by something."""

    afterwards: Callable[[], Awaitable[None]] | None = None

    async def beginning(self, claim: Claim, size: int) -> bytes:
        content = await super().beginning(claim, size)
        if self.afterwards is not None:
            await self.afterwards()
        return content


class Reading:
    """A reader of words over the tables of a projector."""

    def __init__(self, projecting: Projecting) -> None:
        self._projecting = projecting
        self._next = 0
        self.session = Session(projecting.settings.postgres_dsn.get_secret_value(), asyncio.Event())
        self.contents = WatchedContent(projecting.blobs, None)
        self.reader = WordReader(self.contents, self.session, lambda: [0], projecting.schema)

    async def happens(self, *events: Event) -> None:
        for event in events:
            await self._projecting.jobs.handle(0, [record(fact(JOB, event, self._next), 0, self._next)])
            self._next += 1

    async def life(self, given: str, made: str) -> list[Event]:
        """The facts of a job whose parameters and result are stored."""
        parameters, result = [await self._projecting.blobs.put(JOB, text.encode()) for text in (given, made)]
        changes: dict[str, object] = {"parameters": parameters}
        first, *between, last = life()
        return [first.model_copy(update=changes), *between, last.model_copy(update={"result": result})]

    async def words(self) -> set[str]:
        found = await self._projecting.pool.fetch(
            f"SELECT unnest(tsvector_to_array(words)) AS word FROM {self._projecting.schema}.job_words"
        )
        return {row["word"] for row in found}

    async def noted(self) -> int:
        return len(await self._projecting.rows("unread_jobs", "job_id"))


@pytest.fixture
async def reading(projecting: Projecting) -> AsyncIterator[Reading]:
    made = Reading(projecting)
    yield made
    await made.session.close()


GIVEN, MADE = '{"parameters": {"filename": "ledger.pdf"}}', '{"structured_data": {"extracted_text": "exchequer"}}'


async def test_a_job_is_found_by_its_name_at_once_and_by_its_text_at_its_end(reading: Reading) -> None:
    events = await reading.life(GIVEN, MADE)
    await reading.happens(*events[:-1])
    assert await reading.reader.step() == 1
    assert "ledger" in await reading.words()
    assert "exchequer" not in await reading.words()
    await reading.happens(events[-1])
    assert await reading.reader.step() == 1
    assert {"ledger", "exchequer", "acme"} & await reading.words() == {"ledger", "exchequer"}
    assert await reading.reader.step() == 0, "nothing is read twice"


async def test_an_erasure_removes_the_words_and_the_note(reading: Reading) -> None:
    events = await reading.life(GIVEN, MADE)
    await reading.happens(*events)
    await reading.reader.step()
    assert await reading.words()
    await reading.happens(JobErased(by="api"))
    assert (await reading.words(), await reading.noted()) == (set(), 0)


async def test_content_that_is_erased_while_it_is_read_leaves_no_word(reading: Reading) -> None:
    events = await reading.life(GIVEN, MADE)
    await reading.happens(*events)
    erasures = iter([JobErased(by="api")])

    async def erase() -> None:
        await reading.happens(*[one for one in [next(erasures, None)] if one is not None])

    reading.contents.afterwards = erase
    assert await reading.reader.step() == 1
    assert (await reading.words(), await reading.noted()) == (set(), 0)


async def test_a_job_that_ends_while_its_name_is_read_is_read_again(reading: Reading) -> None:
    events = await reading.life(GIVEN, MADE)
    await reading.happens(*events[:-1])
    ends = iter([events[-1]])

    async def end() -> None:
        await reading.happens(*[one for one in [next(ends, None)] if one is not None])

    reading.contents.afterwards = end
    assert await reading.reader.step() == 1
    assert await reading.noted() == 1
    await reading.reader.step()
    assert "exchequer" in await reading.words()


async def test_a_job_whose_content_is_gone_has_the_words_of_its_ids(reading: Reading) -> None:
    await reading.happens(created(), *life()[1:-1], completed(RUNS[0]))
    assert await reading.reader.step() == 1
    assert {"job", "a", "user", "1"} == await reading.words()
