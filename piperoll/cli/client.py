"""A client for the routes of the HTTP API that the commands use. Prints nothing."""

import asyncio
import io
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from piperoll.cli.console import CommandError, CouldNotRunError
from piperoll.cli.target import ApiAccess

Job = dict[str, Any]
UploadProgress = Callable[[int, int], None]
"""Called with the number of bytes sent and the total."""

TIMEOUT_S = 60.0  # a read of the answer; uploads are bounded by each write, not as a whole
RETRY_S = 60.0  # a 503 answer is retried for so long
MAX_RETRY_DELAY_S = 5.0
HIGHEST_PORT = 65_535
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class ApiClient:
    """Uploads files, creates and reads jobs. Raises CommandError on an error answer or when the API is unreachable."""

    def __init__(self, access: ApiAccess) -> None:
        self.access = access
        url = _parsed(access.url)
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {access.key}"},
            timeout=httpx.Timeout(TIMEOUT_S, connect=10.0),
            trust_env=url.host not in LOCAL_HOSTS,  # no proxy for this machine
        )

    async def __aenter__(self) -> "ApiClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def upload(self, path: Path, sent: UploadProgress = lambda done, total: None) -> str:
        """Stream a file to the API and return the `filename` that a job takes as parameter."""
        try:
            with _CountedFile(path, sent) as file:
                data = await self._call("POST", "/api/files", files={"file": (path.name, file)})
        except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}") from error
        return str(data["filename"])

    async def create(self, job_type: str, parameters: dict[str, Any]) -> Job:
        """Create a job and return it. Retries use one Idempotency-Key."""
        body = {"job_type": job_type, "parameters": parameters}
        data = await self._call("POST", "/api/jobs/", json=body, headers={"Idempotency-Key": str(uuid.uuid4())})
        job: Job = data["job"]
        return job

    async def job(self, job_id: str) -> Job:
        """Return the current state of a job."""
        return await self._call("GET", f"/api/jobs/{job_id}", subject=job_id)

    async def redeliver(self, origin: str, since: str, dry_run: bool) -> dict[str, Any]:
        """Request redelivery of a receiver's held and given-up webhooks, one batch per call: `{count, left}`."""
        body = {"origin": origin, "since": since, "dry_run": dry_run}
        return await self._call("POST", "/api/deliveries/redeliver", json=body)

    async def link(self) -> str:
        """Make a link that signs a browser in to the page, once and within ten minutes."""
        data = await self._call("POST", "/api/session/nonces")
        return f"{self.access.url}/#sign-in={data['nonce']}"

    async def _call(self, method: str, path: str, subject: str = "", **options: Any) -> dict[str, Any]:
        """Return the `data` of the answer; an error of it names the `subject`.

        A 503 is retried for RETRY_S, except for uploads: the file is read once.
        """
        deadline = time.monotonic() + (0 if "files" in options else RETRY_S)
        while True:
            try:
                reply = await self._http.request(method, path, **options)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                raise CouldNotRunError(
                    f"no API answers at {self.access.url}: start one with `piperoll up`, or set PIPEROLL_URL"
                ) from error
            except httpx.TransportError as error:
                raise CouldNotRunError(f"the connection to {self.access.url} failed ({error!r}): try again") from error
            if reply.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() >= deadline:
                return _data(reply, subject)
            await asyncio.sleep(_pause(reply))


class _CountedFile(io.FileIO):
    """A file that reports how many bytes were read."""

    def __init__(self, path: Path, sent: UploadProgress) -> None:
        super().__init__(path)
        self._sent = sent
        self._total = path.stat().st_size

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(-1 if size is None else size)
        self._sent(self.tell(), self._total)
        return chunk


def _parsed(url: str) -> httpx.URL:
    """Parse the API's URL. Raises CommandError when it is not an HTTP URL."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host or (parsed.port or 0) > HIGHEST_PORT:
        raise CommandError(f"{url!r} is not an HTTP URL: set PIPEROLL_URL to a URL such as http://127.0.0.1:5001")
    return parsed


def _pause(reply: httpx.Response) -> float:
    """Return the Retry-After of an answer in seconds, between 0.2 and MAX_RETRY_DELAY_S."""
    value = reply.headers.get("Retry-After", "")
    return min(max(float(value) if value.isdecimal() else 1.0, 0.2), MAX_RETRY_DELAY_S)


def _data(reply: httpx.Response, subject: str) -> dict[str, Any]:
    """Return the `data` of an answer. Raises CommandError with the message of an error answer about `subject`."""
    try:
        body = reply.json()
        if reply.is_success:
            return dict(body["data"])
        error = body["error"]
        about = f"{subject}: " if subject else ""
        message = f"{about}{error['message']} ({error.get('code', reply.status_code)})"
    except (ValueError, KeyError, TypeError):
        raise CommandError(
            f"{reply.request.url} answered HTTP {reply.status_code} without Piperoll's envelope: "
            "is PIPEROLL_URL the address of a Piperoll API?"
        ) from None
    if reply.status_code == httpx.codes.UNAUTHORIZED:
        message += ": set PIPEROLL_API_KEY to a key of this installation, or use --data-dir"
    supported = error.get("details", {}).get("supported")
    raise CommandError(f"{message}. Supported: {supported}" if supported else message)
