"""The checks of `piperoll doctor`, when what they ask does not answer."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError

from piperoll.cli import probes
from piperoll.settings import Settings


async def test_dead_letters_that_cannot_be_read_in_time_are_named_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def slow(_: Settings) -> list[object]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(probes, "read_waiting", slow)
    monkeypatch.setattr(probes, "TIMEOUT_S", 0.01)
    (finding,) = await probes.dead_letters(Settings.from_environment({}))
    assert finding.level == "warn"
    assert "`piperoll dead-letters list`" in finding.sentence


async def test_without_kafka_the_dead_letters_are_not_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(_: Settings) -> list[object]:
        raise KafkaConnectionError("refused")

    monkeypatch.setattr(probes, "read_waiting", away)
    assert await probes.dead_letters(Settings.from_environment({})) == []
