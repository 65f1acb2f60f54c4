"""What commands report when an answer is not the expected one. The server is a real one, on this machine."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from piperoll.cli.console import CommandError, CouldNotRunError
from piperoll.cli.remote.connection import about, connected_to
from piperoll.cli.target import ApiAccess
from piperoll.client import AsyncClient
from piperoll.embedded.ports import free_port

Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[AsyncClient]:
    app = web.Application()
    app.router.add_get("/api/health/ready", _healthy)
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with connected_to(ApiAccess(f"http://127.0.0.1:{runner.addresses[0][1]}", "a-key")) as client:
            yield client
    finally:
        await runner.cleanup()


async def _healthy(_: web.Request) -> web.Response:
    return web.json_response({"status": "success", "data": {"status": "ok"}})


def answering(status: int, body: object) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, text=json.dumps(body), content_type="application/json")

    return handler


async def read_a_job(job_id: str, handler: Handler) -> None:
    async with serving(handler) as client:
        with about(job_id):
            await client.jobs.get(job_id)


def error(code: str, message: str, **details: object) -> object:
    return {"status": "error", "error": {"code": code, "message": message, "details": details}}


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (404, error("NOT_FOUND", "job not found"), r"^job-1: job not found \(NOT_FOUND\)$"),
        (401, error("UNAUTHORIZED", "no"), "^no .*by PIPEROLL_API_KEY, a profile, or --data-dir$"),
        (403, error("FORBIDDEN", "this key lacks the scope 'read'"), "lacks the scope 'read'.*keys create"),
        (400, error("X", "no", supported=["native", "both"]), "Supported: native, both$"),
        (400, error("X", "no", supported={"a": ["b", "c"]}), "Supported: a: b, c$"),
        (200, [], "PIPEROLL_URL"),
        (418, "<html>", "HTTP 418"),
    ],
)
async def test_an_error_answer_becomes_a_sentence(status: int, body: object, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        await read_a_job("job-1", answering(status, body))


@pytest.mark.parametrize("job_id", ["../../etc", "", "a\nb"])
async def test_what_is_not_an_id_is_refused_before_it_is_sent(job_id: str) -> None:
    with pytest.raises(CommandError, match="is not an id"):
        await read_a_job(job_id, answering(500, None))


async def test_a_503_is_tried_again_under_the_same_idempotency_key() -> None:
    keys: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            return web.Response(status=503, headers={"Retry-After": "0"})
        job = {"job_id": "job-1", "job_type": "pdf", "status": "pending", "created_at": "2026-01-01T00:00:00Z"}
        return web.json_response({"status": "success", "data": {"job": job}})

    async with serving(handler) as client:
        assert (await client.jobs.create("pdf")).job_id == "job-1"
    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_without_a_server_the_command_ends_at_once_and_names_the_one_that_starts_it() -> None:
    with pytest.raises(CouldNotRunError, match="piperoll up"):
        async with connected_to(ApiAccess(f"http://127.0.0.1:{free_port()}", "a-key")):
            pass


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "nowhere", "http://127.0.0.1:99999999"])
async def test_a_url_that_is_none_is_named(url: str) -> None:
    with pytest.raises(CommandError, match="PIPEROLL_URL"):
        async with connected_to(ApiAccess(url, "a-key")):
            pass
