"""A client of the HTTP API, as far as the commands need one. Knows routes and envelopes, prints nothing."""

import asyncio
import io
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from piperoll.cli.console import CommandError
from piperoll.cli.target import Endpoint

Job = dict[str, Any]
Sent = Callable[[int, int], None]
"""Told how many bytes are sent, of how many."""

TIMEOUT_S = 60.0  # a read of the answer; uploads are bounded by each write, not as a whole
PATIENCE_S = 60.0  # for 503 answers, which say that another try will help
LONGEST_PAUSE_S = 5.0
HIGHEST_PORT = 65_535
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class ApiClient:
    """Uploads files, creates and reads jobs. Raises CommandError with what the API said, or that it is not there."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        url = _parsed(endpoint.url)
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {endpoint.key}"},
            timeout=httpx.Timeout(TIMEOUT_S, connect=10.0),
            trust_env=url.host not in LOCAL_HOSTS,  # a proxy is not asked for the machine we are on
        )

    async def __aenter__(self) -> "ApiClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def upload(self, path: Path, sent: Sent = lambda done, total: None) -> str:
        """Stream a file to the API; answer the `filename` by which a job can name it."""
        try:
            with _CountedFile(path, sent) as file:
                data = await self._call("POST", "/api/files", files={"file": (path.name, file)})
        except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}") from error
        return str(data["filename"])

    async def create(self, job_type: str, parameters: dict[str, Any]) -> Job:
        """Create a job; answer it as the API shows it. Repeated safely, under one Idempotency-Key."""
        body = {"job_type": job_type, "parameters": parameters}
        data = await self._call("POST", "/api/jobs/", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
        job: Job = data["job"]
        return job

    async def job(self, job_id: str) -> Job:
        """The job as it is now."""
        return await self._call("GET", f"/api/jobs/{job_id}")

    async def redeliver(self, origin: str, since: str, dry_run: bool) -> dict[str, Any]:
        """Have webhooks sent again that were held or given up at a receiver: `{count, left}`, some at a time."""
        body = {"origin": origin, "since": since, "dry_run": dry_run}
        return await self._call("POST", "/api/deliveries/redeliver", json=body)

    async def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The `data` of the answer. A 503 is repeated until the patience ends, except uploads, which are read once."""
        deadline = time.monotonic() + (0 if "files" in options else PATIENCE_S)
        while True:
            try:
                reply = await self._http.request(method, path, **options)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                raise CommandError(
                    f"no API answers at {self.endpoint.url}: start one with `piperoll up`, or set PIPEROLL_URL"
                ) from error
            except httpx.TransportError as error:
                raise CommandError(f"{self.endpoint.url} broke off ({error!r}): try again") from error
            if reply.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() >= deadline:
                return _data(reply)
            await asyncio.sleep(_pause(reply))


class _CountedFile(io.FileIO):
    """A file that tells how much of it was read."""

    def __init__(self, path: Path, sent: Sent) -> None:
        super().__init__(path)
        self._sent = sent
        self._total = path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(-1 if size is None else size)
        self._sent(self.tell(), self._total)
        return chunk


def _parsed(url: str) -> httpx.URL:
    """The URL of an API. Raises CommandError for anything else."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host or (parsed.port or 0) > HIGHEST_PORT:
        raise CommandError(f"{url!r} is not where an API can be: set PIPEROLL_URL to such as http://127.0.0.1:5001")
    return parsed


def _pause(reply: httpx.Response) -> float:
    """Seconds to wait before another try, as the answer says; at least a little, at most a few."""
    said = reply.headers.get("Retry-After", "")
    return min(max(float(said) if said.isdecimal() else 1.0, 0.2), LONGEST_PAUSE_S)


def _data(reply: httpx.Response) -> dict[str, Any]:
    """The `data` of an answer. Raises CommandError with the sentence of an error answer."""
    try:
        body = reply.json()
        if reply.is_success:
            return dict(body["data"])
        error = body["error"]
        said = f"{error['message']} ({error.get('code', reply.status_code)})"
    except (ValueError, KeyError, TypeError):
        raise CommandError(
            f"{reply.request.url} answered HTTP {reply.status_code} and nothing that Piperoll would say: "
            "is PIPEROLL_URL the address of its API?"
        ) from None
    if reply.status_code == httpx.codes.UNAUTHORIZED:
        said += ": set PIPEROLL_API_KEY to a key of this installation, or use --data-dir"
    supported = error.get("details", {}).get("supported")
    raise CommandError(f"{said}. Supported: {supported}" if supported else said)
