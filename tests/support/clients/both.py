"""The blocking client and the one for asyncio against one handler, which stands for the API's wire."""

from collections.abc import Callable
from typing import Any

import httpx

from piperoll.client import AsyncClient, Client, RetryPolicy

JOB = {"job_id": "job-1", "job_type": "pdf", "status": "completed", "created_at": "2026-01-01T00:00:00Z"}
NO_PAUSE = RetryPolicy(draw=lambda: 0.0)
Handler = Callable[[httpx.Request], httpx.Response]


def success(value: object, **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"status": "success", "data": value}, **more)


class Both:
    """Calls a method of each client against one handler; both must do the same."""

    def __init__(self, handler: Handler) -> None:
        self.sent: list[httpx.Request] = []

        def seen(request: httpx.Request) -> httpx.Response:
            self.sent.append(request)
            return handler(request)

        options: dict[str, Any] = {"retries": NO_PAUSE, "transport": httpx.MockTransport(seen)}
        self.one = Client("http://piperoll.test", "a-key", **options)
        self.other = AsyncClient("http://piperoll.test", "a-key", **options)

    async def call(self, path: str, *args: Any, **named: Any) -> Any:
        before = len(self.sent)
        noun, _, name = path.rpartition(".")
        first = getattr(getattr(self.one, noun) if noun else self.one, name)(*args, **named)
        second = getattr(getattr(self.other, noun) if noun else self.other, name)(*args, **named)
        if hasattr(second, "__aiter__"):
            first, second = list(first), [value async for value in second]
        else:
            second = await second
        assert first == second
        sent = self.sent[before:]
        half = len(sent) // 2
        shown = [(one.method, one.url, one.content if "multipart" not in one.headers.get("content-type", "") else b"")
                 for one in sent]  # fmt: skip
        assert shown[:half] == shown[half:]
        return first
