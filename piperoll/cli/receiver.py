"""The webhook receiver of the demonstration: a small web server on a free port of this machine."""

import asyncio
import hmac
import secrets
from types import TracebackType
from typing import Any

from aiohttp import web

from piperoll.embedded.ports import HOST

FINAL_PHASES = ("completed", "error")
BODY_LIMIT = 256 * 1024 * 1024  # the final webhook contains the whole text of the document


class Receiver:
    """Accepts webhooks with its token; `progress` counts progress webhooks, `refused` those without the token."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(16)
        self.progress = 0
        self.refused = 0
        self._final: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> "Receiver":
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The webhook URL of this receiver."""
        return f"http://{HOST}:{self._port}/hook"

    async def final(self) -> dict[str, Any]:
        """Wait for the final webhook, without a timeout, and return its body."""
        return await asyncio.shield(self._final)

    async def _take(self, request: web.Request) -> web.Response:
        given, wanted = request.headers.get("Authorization", ""), f"Bearer {self.token}"
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            self.refused += 1
            return web.Response(status=401)
        body = await request.json()
        if body.get("phase") not in FINAL_PHASES:
            self.progress += 1
        elif not self._final.done():  # delivery is at least once
            self._final.set_result(body)
        return web.Response(status=204)
