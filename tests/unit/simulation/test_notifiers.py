"""Notifiers beside each other in the simulated world."""

import asyncio
from collections import Counter

import pytest

from services.notifier.delivery.relay import Relay
from tests.support.simulation.clients import simulate
from tests.support.simulation.judging import account_of, judge_world
from tests.support.simulation.playing import ENVIRONMENT, Play
from tests.support.simulation.process import current_process
from tests.support.simulation.schedule import Act, Schedule
from tests.support.simulation.world import World

WATCHED_S = 60


def test_a_notifier_that_does_not_lead_the_relay_asks_for_the_lead_about_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: Counter[str] = Counter()
    lead = Relay._lead

    async def counted(self: Relay, *arguments: object) -> bool:
        process = current_process()
        assert process is not None
        asked[process.name] += 1
        return await lead(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Relay, "_lead", counted)
    hooked = tuple(Act(0.2 * number, "create", f"job-{number}", moods=()) for number in range(12))

    async def story(world: World) -> None:
        await Play(world, Schedule(1, hooked, ())).run()
        asked.clear()
        await asyncio.sleep(WATCHED_S)
        assert len(asked) == 1, "one leads, the other asks"
        assert WATCHED_S / 2 < asked.total() < WATCHED_S + 2

    simulate(story, partitions=2, environment=ENVIRONMENT)


def test_a_notifier_that_joins_while_postgres_is_away_waits_for_it() -> None:
    async def story(world: World) -> None:
        world.start_projector("projector-1")
        world.postgres.away = True
        notifier = world.start_notifier("notifier-1")
        await asyncio.sleep(20)
        assert not notifier.main.done()
        world.postgres.away = False
        await asyncio.sleep(10)
        assert account_of(world).settled

    world = simulate(story, partitions=2, environment=ENVIRONMENT)
    assert judge_world(world, []) == []
