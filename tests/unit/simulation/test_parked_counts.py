"""How many records were parked, when Postgres fails between the dead letter and the commit."""

import asyncio

import pytest
from prometheus_client import Counter

from piperoll.log.dead_letters import DeadLetters
from schemas.topics import DEAD_LETTERS, JOB_EVENTS
from services.notifier import metrics as notifier
from services.projector import metrics as projector
from tests.support.histories.jobs import garbage
from tests.support.simulation.clients import simulate
from tests.support.simulation.world import World


@pytest.mark.parametrize(
    ("service", "counter"),
    [("projector", projector.PARKED), ("notifier", notifier.PARKED)],
    ids=["projector", "notifier"],
)
def test_a_record_that_is_parked_again_after_a_failed_transaction_counts_once(
    service: str, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = 0

    async def story(world: World) -> None:
        append = DeadLetters._append

        async def then_fail(self: DeadLetters, *letter: object) -> None:
            nonlocal letters
            await append(self, *letter)  # type: ignore[arg-type]
            letters += 1
            if letters == 1:
                world.postgres.break_sessions()

        monkeypatch.setattr(DeadLetters, "_append", then_fail)
        start = {"projector": world.start_projector, "notifier": world.start_notifier}[service]
        start(f"{service}-1")
        await asyncio.sleep(10)
        before = counted()
        one = garbage("job-1", 0, 0)
        await world.land(one.key, one.value, one.headers)
        await asyncio.sleep(60)
        assert counted() - before == 1
        assert world.log.end_of(DEAD_LETTERS, world.home_of("job-1")) == letters == 2

    def counted() -> float:
        return counter.labels(JOB_EVENTS.name)._value.get()

    simulate(story, partitions=1)
