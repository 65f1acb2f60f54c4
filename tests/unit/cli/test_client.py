"""What the client reports when an answer is not the expected one. The server is a real one, on this machine."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from piperoll.cli.client import ApiClient
from piperoll.cli.console import CommandError
from piperoll.cli.target import ApiAccess
from piperoll.embedded.ports import free_port

Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[ApiClient]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ApiClient(ApiAccess(f"http://127.0.0.1:{runner.addresses[0][1]}", "a-key")) as client:
        yield client
    await runner.cleanup()


def answering(status: int, body: str) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type="application/json")

    return handler


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (
            404,
            {"error": {"code": "NOT_FOUND", "message": "job not found", "details": {}}},
            r"^job-1: job not found \(NOT_FOUND\)",
        ),
        (401, {"error": {"code": "UNAUTHORIZED", "message": "no", "details": {}}}, "set PIPEROLL_API_KEY"),
        (400, {"error": {"code": "X", "message": "no", "details": {"supported": ["native"]}}}, "Supported: .'native'"),
        (200, [], "without Piperoll's envelope"),
        (502, "<html>", "HTTP 502"),
    ],
)
async def test_an_error_answer_becomes_a_sentence(status: int, body: object, sentence: str) -> None:
    async with serving(answering(status, json.dumps(body))) as client:
        with pytest.raises(CommandError, match=sentence):
            await client.job("job-1")


async def test_a_503_is_tried_again_under_the_same_idempotency_key() -> None:
    keys: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            return web.Response(status=503, headers={"Retry-After": "0"})
        return web.json_response({"status": "success", "data": {"job": {"job_id": "job-1"}}})

    async with serving(handler) as client:
        assert (await client.create("pdf", {}))["job_id"] == "job-1"
    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_an_upload_reports_its_progress(tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(bytes(300_000))
    reported: list[tuple[int, int]] = []

    async def handler(request: web.Request) -> web.Response:
        part = await (await request.multipart()).next()
        assert part is not None
        size = len(await part.read())  # type: ignore[union-attr]
        return web.json_response({"status": "success", "data": {"filename": f"upload://{size}"}})

    async with serving(handler) as client:
        filename = await client.upload(path, lambda done, total: reported.append((done, total)))
    assert filename == "upload://300000"
    assert reported == sorted(reported)
    assert reported[-1] == (300_000, 300_000)


async def test_without_a_server_the_error_names_the_command_to_start_one() -> None:
    async with ApiClient(ApiAccess(f"http://127.0.0.1:{free_port()}", "a-key")) as client:
        with pytest.raises(CommandError, match="piperoll up"):
            await client.job("job-1")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "nowhere", "http://127.0.0.1:99999999"])
async def test_a_url_that_is_none_is_named(url: str) -> None:
    with pytest.raises(CommandError, match="PIPEROLL_URL"):
        async with ApiClient(ApiAccess(url, "a-key")) as client:
            await client.job("job-1")
