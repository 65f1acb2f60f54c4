"""Which requests count as those of a session, and which of them may change something."""

import pytest

from services.api.http.caller import is_own_origin, session_in
from tests.support.stacks.memory_api import NOOP, MemoryApi, error

TOKEN = f"ps_{'x' * 43}"
WITHOUT_KEY = {"Authorization": ""}
COOKIE = {"Cookie": f"piperoll_session={TOKEN}"}


@pytest.mark.parametrize(
    ("cookie", "token"),
    [
        (b"", None),
        (b"piperoll_session=a", "a"),
        (b"other=1; piperoll_session=a; more=2", "a"),
        (b"other=1;piperoll_session = a ", "a"),
        (b"xpiperoll_session=a", None),
        (b"piperoll_session", ""),
        (b"\xff\xfe; =; ;;", None),
    ],
)
def test_the_token_is_found_among_other_cookies(cookie: bytes, token: str | None) -> None:
    assert session_in({b"cookie": cookie}) == token


@pytest.mark.parametrize(
    ("host", "token"), [(b"host:5001", "first"), (b"[::1]:5002", "second"), (b"host", "none"), (b"host:5003", None)]
)
def test_each_port_of_a_host_has_a_cookie_for_itself(host: bytes, token: str | None) -> None:
    cookies = b"piperoll_session_5001=first; piperoll_session=none; piperoll_session_5002=second"
    assert session_in({b"host": host, b"cookie": cookies}) == token


@pytest.mark.parametrize(
    ("origin", "own"),
    [
        ("http://host:5001", True),
        ("https://host:5001", True),
        ("HTTP://HOST:5001", True),
        ("http://host", False),
        ("http://host:5002", False),
        ("http://host:5001.example", False),
        ("http://example/host:5001", False),
        ("file://host:5001", False),
        ("null", False),
        ("", False),
    ],
)
def test_an_origin_is_the_own_one_if_host_and_port_are_those_of_the_request(origin: str, own: bool) -> None:
    assert is_own_origin({b"host": b"Host:5001", b"origin": origin.encode()}) is own


def test_a_request_without_a_host_has_no_own_origin() -> None:
    assert not is_own_origin({b"origin": b"http://"})


async def test_a_cookie_that_cannot_be_of_a_session_costs_no_query(api: MemoryApi) -> None:
    for token in ("", "good-key", "ps_short", f"pr_a.{'x' * 43}", "ü"):
        reply = await api.client.get(
            "/api/session", headers={**WITHOUT_KEY, "Cookie": f"piperoll_session={token}".encode()}
        )  # type: ignore[dict-item]
        assert "piperoll link" in error(reply, 401)["message"]  # a query would be a 503: Postgres is away


async def test_a_cookie_is_not_looked_at_if_a_key_is_sent(api: MemoryApi) -> None:
    assert (await api.client.post("/api/jobs", json=NOOP, headers=COOKIE)).status_code == 200
    wrong = {**COOKIE, "Authorization": "Bearer wrong"}
    assert (
        error(await api.client.get("/api/session", headers=wrong), 401)["message"] == "Invalid or missing service token"
    )


async def test_a_token_of_a_session_is_not_a_key_and_a_key_is_not_a_session(api: MemoryApi) -> None:
    as_key = await api.client.get("/api/session", headers={"Authorization": f"Bearer {TOKEN}"})
    assert error(as_key, 401)["message"] == "Invalid or missing service token"
    as_cookie = await api.client.get("/api/limits", headers={**WITHOUT_KEY, "Cookie": "piperoll_session=good-key"})
    assert error(as_cookie, 401)["code"] == "UNAUTHORIZED"


async def test_without_postgres_a_session_is_a_503(api: MemoryApi) -> None:
    reply = await api.client.get("/api/session", headers={**WITHOUT_KEY, **COOKIE})
    assert error(reply, 503)["code"] == "READ_MODEL_UNAVAILABLE"


async def test_a_request_with_a_key_has_no_session(api: MemoryApi) -> None:
    for method in ("GET", "DELETE"):
        assert error(await api.client.request(method, "/api/session"), 401)["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("body", [{}, {"key": "a", "nonce": "b"}, {"key": ""}, {"key": 1}, {"token": "a"}])
async def test_a_sign_in_names_either_a_key_or_a_nonce(api: MemoryApi, body: dict[str, object]) -> None:
    reply = await api.client.post("/api/session", json=body, headers=WITHOUT_KEY)
    assert error(reply, 400)["code"] == "INVALID_PARAMETERS"


async def test_a_body_of_a_sign_in_is_small(api: MemoryApi) -> None:
    reply = await api.client.post("/api/session", content=b" " * 5000, headers=WITHOUT_KEY)
    assert error(reply, 413)["code"] == "BODY_TOO_LARGE"


async def test_a_page_of_another_host_cannot_sign_a_browser_in(api: MemoryApi) -> None:
    for origin in ("http://example.com", "null"):
        headers = {**WITHOUT_KEY, "Origin": origin}
        reply = await api.client.post("/api/session", json={"key": "good-key"}, headers=headers)
        assert error(reply, 403)["code"] == "FOREIGN_ORIGIN"


async def test_a_wrong_key_and_a_wrong_nonce_are_refused_without_repeating_them(api: MemoryApi) -> None:
    for body in ({"key": "wrong-key"}, {"nonce": "wrong-nonce"}, {"nonce": TOKEN}):
        reply = await api.client.post("/api/session", json=body, headers=WITHOUT_KEY)
        assert error(reply, 401)["code"] == "UNAUTHORIZED"
        assert next(iter(body.values())) not in reply.text
        assert "set-cookie" not in reply.headers
