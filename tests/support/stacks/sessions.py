"""Sessions of the page over HTTP, as a browser has them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import Morsel, SimpleCookie

import httpx

from tests.support.stacks.api import Api


@asynccontextmanager
async def browser(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key that keeps cookies and sends the Origin of the API's own page."""
    url = str(api.client.base_url).rstrip("/")
    async with httpx.AsyncClient(base_url=url, headers={"Origin": url}, timeout=70) as client:
        yield client


async def sign_in(client: httpx.AsyncClient, **by: str) -> httpx.Response:
    """Sign in by `key` or `nonce`."""
    reply = await client.post("/api/session", json=by)
    assert reply.status_code == 200, reply.text
    return reply


async def nonce_of(api: Api, key: str) -> str:
    """A nonce that is made with a key."""
    reply = await api.client.post("/api/session/nonces", headers={"Authorization": f"Bearer {key}"})
    assert reply.status_code == 200, reply.text
    return str(reply.json()["data"]["nonce"])


async def signed_in(client: httpx.AsyncClient) -> bool:
    """Whether the client has a session that the API accepts."""
    reply = await client.get("/api/session")
    assert reply.status_code in (200, 401), reply.text
    return reply.status_code == 200


def cookie_of(reply: httpx.Response) -> Morsel[str]:
    """The cookie that an answer sets, with its attributes."""
    (header,) = reply.headers.get_list("set-cookie")
    return SimpleCookie(header)[f"piperoll_session_{reply.url.port}"]
