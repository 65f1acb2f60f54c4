"""The checks of `piperoll doctor`, when what they ask does not answer."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
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


def piperoll_live(_: web.Request) -> web.Response:
    return web.json_response({"status": "success", "data": {"status": "ok"}})


def another_program(_: web.Request) -> web.Response:
    return web.Response(text="<html>")


@pytest.mark.parametrize(
    ("program", "level", "words"),
    [
        (piperoll_live, "warn", "a running Piperoll: check that one with `piperoll doctor --data-dir`"),
        (another_program, "fail", "stop the program"),
    ],
)
async def test_a_port_that_piperoll_itself_uses_is_recognised(program: Any, level: str, words: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.path == "/api/health/live"
        return program(request)  # type: ignore[no-any-return]

    server = TestServer(web.Application())
    server.app.router.add_get("/{path:.*}", answer)
    async with server:
        assert server.port is not None
        found = await probes.port(server.port)
    assert found.level == level
    assert words in found.sentence
