"""Sessions of the page: how they begin and what they may do."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.stacks.api import NOOP, Api, refused
from tests.support.stacks.key_admin import bearing, create
from tests.support.stacks.sessions import browser, cookie_of, nonce_of, sign_in, signed_in


async def test_a_session_has_the_owner_and_the_scopes_of_its_key(api: Api) -> None:
    made = await create(api, "read", "submit")
    async with browser(api) as client:
        reply = await sign_in(client, key=made["key"])
        shown = reply.json()["data"]
        assert (shown["owner"], shown["scopes"]) == (made["owner"], ["read", "submit"])
        assert shown["key_id"] == made["id"]
        left = datetime.fromisoformat(shown["ends_at"]) - datetime.now(UTC)
        assert timedelta(minutes=59) < left <= timedelta(hours=1)
        assert (await client.get("/api/session")).json()["data"] == shown
        job_id = (await client.post("/api/jobs/", json=NOOP)).json()["data"]["job_id"]
        assert (await client.get(f"/api/jobs/{job_id}")).status_code == 200
        refused(await client.get("/api/keys"), 403, "FORBIDDEN")
    assert (await api.client.get(f"/api/jobs/{job_id}", headers=bearing(made))).status_code == 200
    refused(await api.client.get(f"/api/jobs/{job_id}"), 404, "NOT_FOUND")  # another owner


async def test_the_cookie_is_hidden_from_scripts_and_other_sites_and_the_answer_from_caches(api: Api) -> None:
    made = await create(api)
    async with browser(api) as client:
        reply = await sign_in(client, key=made["key"])
        cookie = cookie_of(reply)
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Strict", "/", "")
        assert 3500 < int(cookie["max-age"]) <= 3600
        assert not cookie["secure"]
        assert reply.headers["cache-control"] == "no-store"
        assert cookie.value not in reply.text
        assert made["key"] not in reply.text
        secure = await client.post("/api/session", json={"key": made["key"]}, headers=over_tls(api))
        assert cookie_of(secure)["secure"] is True


def over_tls(api: Api) -> dict[str, str]:
    """What a browser sends to a proxy that speaks TLS."""
    return {"Origin": str(api.client.base_url).rstrip("/").replace("http://", "https://")}


@pytest.mark.parametrize("scope", ["read", "submit", "jobs", "admin"])
async def test_a_session_of_each_scope_begins_by_a_link_may_do_what_the_key_may_and_ends(api: Api, scope: str) -> None:
    made = await create(api, scope)
    async with browser(api) as client:
        await sign_in(client, nonce=await nonce_of(api, made["key"]))
        for method, path in (("GET", "/api/jobs/"), ("POST", "/api/jobs/"), ("GET", "/api/keys")):
            body = NOOP if method == "POST" else None
            by_key = await api.client.request(method, path, json=body, headers=bearing(made))
            assert (await client.request(method, path, json=body)).status_code == by_key.status_code
        reply = await client.delete("/api/session")
        assert (reply.status_code, cookie_of(reply)["max-age"]) == (204, "0")
        assert not await signed_in(client)


async def test_a_change_by_a_session_needs_the_origin_of_this_host(api: Api) -> None:
    async with browser(api) as client:
        await sign_in(client, key=(await create(api))["key"])
        own = client.headers.pop("origin")
        assert (await client.get("/api/jobs/")).status_code == 200
        for headers in ({}, {"Origin": "http://example.com"}, {"Origin": "null"}, {"Origin": f"{own}0"}):
            refused(await client.post("/api/jobs/", json=NOOP, headers=headers), 403, "FOREIGN_ORIGIN")
            refused(await client.delete("/api/session", headers=headers), 403, "FOREIGN_ORIGIN")
        assert (await client.post("/api/jobs/", json=NOOP, headers={"Origin": own})).status_code == 200
