"""The watch of the topics: a difference is named once it is found twice, and no longer than it lasts."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError

from piperoll.log.topics.admin import TopicDriftError
from piperoll.log.topics.watch import TopicWatch
from piperoll.settings import Settings

DRIFT = "the topic has retention.ms=1000, it must be -1: run `piperoll topics repair`"


class Cluster:
    """The sentences that the next comparisons find."""

    def __init__(self, *found: list[str] | Exception) -> None:
        self._found = list(found)
        self.watch = TopicWatch(Settings(), self.check)

    async def check(self, settings: Settings) -> list[str]:
        found = self._found.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


async def test_a_service_does_not_start_over_drifted_topics() -> None:
    with pytest.raises(TopicDriftError, match="topics repair"):
        await Cluster([DRIFT]).watch.begin()


async def test_a_difference_that_stays_is_named_until_it_is_gone() -> None:
    watch = Cluster([DRIFT], [DRIFT, "another"], []).watch
    await watch.compare()
    assert watch.problem() is None, "a broker that starts shows differences for a moment"
    await watch.compare()
    assert watch.problem() == f"{DRIFT}; another"
    await watch.compare()
    assert watch.problem() is None


async def test_a_difference_of_a_moment_is_not_named() -> None:
    watch = Cluster([DRIFT], [], [DRIFT]).watch
    for _ in range(3):
        await watch.compare()
        assert watch.problem() is None


async def test_a_log_that_is_away_does_not_end_the_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("piperoll.log.topics.watch.COMPARE_INTERVAL_S", 0)
    stopping = asyncio.Event()
    cluster = Cluster(KafkaConnectionError("away"), [])
    check = cluster.check

    async def last(settings: Settings) -> list[str]:
        found = await check(settings)
        stopping.set()
        return found

    await TopicWatch(Settings(), last).run(stopping)
    assert cluster._found == []
