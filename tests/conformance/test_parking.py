"""Every reader of every topic parks a poison record and what follows it under its key; other keys go on."""

import asyncio

import asyncpg
import pytest

from piperoll.domain.job import Status
from piperoll.log.parking import PARKED_BEFORE
from piperoll.log.record import Record
from piperoll.settings import Settings
from schemas.topics import Topic
from tests.support.histories.jobs import fact
from tests.support.poison.cases import BAD, CASES, GOOD, GROUPS, letters_in, reasons
from tests.support.simulation.clients import create, simulate
from tests.support.simulation.world import World

POISON = b"no event"
EXPECTED = [
    (BAD.encode(), "the header ce_id is missing"),
    (BAD.encode(), PARKED_BEFORE),
    (BAD.encode(), PARKED_BEFORE),
]


@pytest.mark.parametrize(("group", "topic"), GROUPS, ids=[group for group, _ in GROUPS])
async def test_a_poison_record_and_what_follows_under_its_key_are_parked(
    group: str, topic: Topic, settings: Settings, pool: asyncpg.Pool
) -> None:
    async with CASES[group.split(".")[1]](topic, settings, pool) as case:
        await case.log.append_raw(topic, BAD.encode(), POISON, [])
        await case.log.append(topic, fact(BAD, case.event(BAD), 1))
        await case.read()
        await case.log.append(topic, fact(BAD, case.event(BAD), 2))
        await case.log.append(topic, fact(GOOD, case.event(GOOD), 3))
        await case.read()
        letters = await letters_in(case.log)
        assert reasons(letters) == EXPECTED
        assert letters[0].value == POISON
        assert await case.ids() == {GOOD}


def test_the_worker_parks_a_poison_record_and_what_follows_under_its_key() -> None:
    letters: list[Record] = []

    async def story(world: World) -> None:
        worker = world.start_worker("worker-1")
        await world.land(BAD.encode(), POISON, [])
        await create(world, BAD)
        await asyncio.sleep(20)
        await worker.drain()
        world.start_worker("worker-2")
        await create(world, BAD)
        await create(world, GOOD)
        await asyncio.sleep(20)
        letters.extend(await letters_in(world.log))

    world = simulate(story)
    assert reasons(letters) == EXPECTED
    assert letters[0].value == POISON
    assert world.history.jobs[GOOD].status is Status.COMPLETED
    assert world.stage.runs_of(BAD) == []
