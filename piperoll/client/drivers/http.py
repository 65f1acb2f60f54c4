"""What both drivers share: requests and answers of httpx."""

from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx

from piperoll.client.errors import FIRST_ERROR
from piperoll.client.policy import RetryPolicy
from piperoll.client.wire import ApiReply, ApiRequest, BodyFile, TransportFault

HIGHEST_PORT = 65_535
THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def options_of(url: str, key: str, rules: RetryPolicy) -> dict[str, Any]:
    """Return the options of an httpx client. Raises ValueError if the URL is not one of HTTP."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host or (parsed.port or 0) > HIGHEST_PORT:
        raise ValueError(f"{url!r} is not an HTTP URL: give one such as http://127.0.0.1:5001")
    if not key.isascii() or not key.isprintable():
        raise ValueError("an API key has printable ASCII characters alone")
    return {
        "base_url": parsed,
        "headers": {"Authorization": f"Bearer {key}", "User-Agent": f"piperoll-client/{_release()}"} if key else {},
        "timeout": httpx.Timeout(rules.timeout_s, connect=rules.connect_s),
        "trust_env": parsed.host not in THIS_MACHINE,  # no proxy for this machine
    }


def _release() -> str:
    for name in ("piperoll-client", "piperoll"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "unknown"


def built(http: httpx.Client | httpx.AsyncClient, request: ApiRequest, file: BodyFile | None) -> httpx.Request:
    """Return the request as httpx sends it, its file read from `file`."""
    body: dict[str, Any] = {}
    if request.file is not None:
        body = {"files": {"file": (request.file.name, file)}, "data": dict(request.file.form)}
    elif request.body is not None:
        body = {"json": request.body}
    timeout = http.timeout.as_dict()
    if timeout["read"] is not None:
        timeout["read"] += request.wait_s
    headers, waits = dict(request.headers), {"timeout": timeout}
    return http.build_request(
        request.method, request.path, params=request.query, headers=headers, extensions=waits, **body
    )


def opened(request: ApiRequest) -> BodyFile | None:
    """Open the file of a request."""
    return request.file.open() if request.file is not None else None


def reply_of(response: httpx.Response, content: bytes = b"") -> ApiReply:
    """Return an answer's head with `content`."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return ApiReply(response.status_code, headers, datetime.now(UTC), content)


def fault_of(error: httpx.RequestError, http: httpx.Client | httpx.AsyncClient) -> TransportFault:
    """Return the fault that a failure of the transport is."""
    address = str(http.base_url).rstrip("/")
    if isinstance(error, NEVER_SENT):
        return TransportFault(f"no API answers at {address} ({error or type(error).__name__})", sent=False)
    return TransportFault(f"the connection to {address} failed ({error or type(error).__name__})")


def is_read_at_once(response: httpx.Response) -> bool:
    """Whether an answer that was asked for piece by piece is an error, which is read whole."""
    return response.status_code >= FIRST_ERROR
