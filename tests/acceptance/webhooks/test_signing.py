"""A job's own webhook is signed, as its receiver checks it; keys are seen and rotated by an admin.
See docs/contract/additions.md#signing-keys."""

import base64
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from piperoll.clock import utc_now
from tests.support.servers.receiver import Received
from tests.support.stacks.system import Json, System
from tests.support.stacks.traces import found_in
from tests.support.waiting import wait_until

KEYS = "/api/webhooks/signing-keys"
ROTATE = f"{KEYS}/rotate"
DAY = timedelta(days=1)


@pytest.fixture
def owner() -> str:
    return f"signed-{uuid4().hex[:8]}"


@pytest.fixture
async def admin(system: System, owner: str) -> AsyncIterator[httpx.AsyncClient]:
    """An owner of its own, who may see and rotate the keys."""
    async with system.client_of(owner, "admin") as client:
        yield client


async def keys(client: httpx.AsyncClient) -> list[Json]:
    reply = await client.get(KEYS)
    assert reply.status_code == 200, reply.text
    assert reply.headers["Cache-Control"] == "no-store"
    return list(reply.json()["data"]["keys"])


async def rotate(client: httpx.AsyncClient, **headers: str) -> list[Json]:
    reply = await client.post(ROTATE, headers=headers)
    assert reply.status_code == 200, reply.text
    assert reply.headers["Cache-Control"] == "no-store"
    return list(reply.json()["data"]["keys"])


async def hooks_of_a_job(system: System, client: httpx.AsyncClient, **webhook: str) -> list[Received]:
    """The hooks of a new job, in the order they came, the final one last."""
    path = f"/signed/{uuid4().hex}"
    parameters = {"steps": 2, "webhook": {"url": system.receiver.url(path), **webhook}}
    reply = await client.post("/api/jobs/", json={"job_type": "noop", "parameters": parameters})
    assert reply.status_code == 200, reply.text

    def ended() -> list[Received] | None:
        came = system.receiver.at(path)
        return came if came and came[-1].json["phase"] == "completed" else None

    found: list[Received] = await system.receiver.wait_for(lambda _: ended(), 60, "the final hook")
    return found


def lowered(sent: Received) -> dict[str, str]:
    return {name.lower(): text for name, text in sent.headers.items()}


def verify(sent: Received, key: Json) -> None:
    """Both signatures of a key are good for the body, and for no other."""
    headers = lowered(sent)
    assert Webhook(key["secret"]).verify(sent.body, headers) == sent.json
    with pytest.raises(WebhookVerificationError):
        Webhook(key["secret"]).verify(sent.body.replace(b"completed", b"complete!"), headers)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key["public_key"].removeprefix("whpk_")))
    assert accepts(public, headers, sent.body)
    assert not accepts(public, headers, sent.body + b" ")
    assert not accepts(public, {**headers, "webhook-id": "msg_another"}, sent.body)


def accepts(public: Ed25519PublicKey, headers: dict[str, str], body: bytes) -> bool:
    """Whether one of the `v1a` signatures is the key's, as a receiver without a secret would find out."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    for one in headers["webhook-signature"].split():
        version, _, signature = one.partition(",")
        if version != "v1a":
            continue
        try:
            public.verify(base64.b64decode(signature), signed)
        except InvalidSignature:
            continue
        return True
    return False


async def test_every_hook_of_a_job_verifies_with_the_keys_that_its_owner_sees(
    system: System, admin: httpx.AsyncClient
) -> None:
    hooks = await hooks_of_a_job(system, admin, token="token-of-mine")
    (key,) = await keys(admin)
    assert set(key) == {"id", "secret", "public_key"}
    assert len(hooks) > 1, "a progress hook is always tried"
    verify(hooks[-1], key)
    for sent in hooks:
        assert Webhook(key["secret"]).verify(sent.body, lowered(sent)) == sent.json
        assert sent.headers["Authorization"] == "Bearer token-of-mine"
        assert sent.headers["X-Callback-Token"] == "token-of-mine"


async def test_after_a_rotation_the_old_key_and_the_new_one_verify(system: System, admin: httpx.AsyncClient) -> None:
    (before,) = await keys(admin)
    await hooks_of_a_job(system, admin)  # so that the notifier remembers the old key alone
    new, old = await rotate(admin)
    assert (old["id"], old["secret"], old["public_key"]) == (before["id"], before["secret"], before["public_key"])
    assert "active_until" not in new
    assert abs(as_time(old["active_until"]) - (utc_now() + DAY).timestamp()) < 120
    assert await keys(admin) == [new, old]

    async def signed_by_both() -> Received | None:
        sent = (await hooks_of_a_job(system, admin))[-1]
        return sent if len(sent.headers["webhook-signature"].split()) == 4 else None

    sent = await wait_until(signed_by_both, 60, "the notifier to know the new key")
    assert sent is not None
    for key in (new, old):
        verify(sent, key)


async def test_a_rotation_repeated_under_its_idempotency_key_rotates_once(admin: httpx.AsyncClient) -> None:
    once = await rotate(admin, **{"Idempotency-Key": "monday"})
    assert await rotate(admin, **{"Idempotency-Key": "monday"}) == once
    assert len(await rotate(admin, **{"Idempotency-Key": "tuesday"})) == len(once) + 1


async def test_the_number_of_keys_is_limited(admin: httpx.AsyncClient) -> None:
    for _ in range(5):
        found = await rotate(admin)
    reply = await admin.post(ROTATE)
    assert reply.status_code == 409, reply.text
    assert reply.json()["error"]["code"] == "CONFLICT"
    assert reply.json()["error"]["details"] == {"limit": 5}
    assert await keys(admin) == found


async def test_only_an_admin_sees_rotates_and_ends_keys(system: System, owner: str, admin: httpx.AsyncClient) -> None:
    async with system.client_of(owner, "jobs") as client:
        for reply in (await client.get(KEYS), await client.post(ROTATE), await client.delete(f"{KEYS}/signing-1")):
            assert reply.status_code == 403, reply.text
            assert reply.json()["error"]["code"] == "FORBIDDEN"
    async with httpx.AsyncClient(base_url=system.stack.api_url) as without_key:
        assert (await without_key.get(KEYS)).status_code == 401
        assert (await without_key.post(ROTATE)).status_code == 401
    assert len(await keys(admin)) == 1


async def test_keys_are_used_and_shown_for_their_owner_only(
    system: System, owner: str, admin: httpx.AsyncClient
) -> None:
    (mine,) = await keys(admin)
    async with system.client_of(f"{owner}-2", "admin") as stranger:
        sent = (await hooks_of_a_job(system, stranger))[-1]
        (theirs,) = await keys(stranger)
        verify(sent, theirs)
        assert not {theirs["secret"], theirs["public_key"]} & {mine["secret"], mine["public_key"]}
        with pytest.raises(WebhookVerificationError):
            Webhook(mine["secret"]).verify(sent.body, lowered(sent))
        await rotate(stranger)
    assert await keys(admin) == [mine]


async def test_a_secret_is_stored_nowhere_in_plain_text(system: System, admin: httpx.AsyncClient) -> None:
    await hooks_of_a_job(system, admin)
    secrets = [key["secret"].removeprefix("whsec_") for key in await rotate(admin)]
    sent = (await hooks_of_a_job(system, admin))[-1]
    assert await found_in(system, *secrets) == []
    logs = list((system.stack.data_dir / "logs").glob("*.log"))
    assert len(logs) >= 6
    for secret in secrets:
        assert secret.encode() not in sent.body
        assert [log.name for log in logs if secret.encode() in log.read_bytes()] == []


def as_time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


async def test_a_leaked_key_is_ended_at_once_and_the_answer_warns(system: System, admin: httpx.AsyncClient) -> None:
    (leaked,) = await keys(admin)
    await hooks_of_a_job(system, admin)  # so that the notifier remembers the leaked key
    reply = await admin.delete(f"{KEYS}/{leaked['id']}")
    assert reply.status_code == 200, reply.text
    assert reply.headers["Cache-Control"] == "no-store"
    (new,), warning = reply.json()["data"]["keys"], reply.json()["data"]["warning"]
    assert "receivers" in warning
    sent = (await hooks_of_a_job(system, admin))[-1]
    verify(sent, new)
    with pytest.raises(WebhookVerificationError):
        Webhook(leaked["secret"]).verify(sent.body, lowered(sent))
    for key_id in (leaked["id"], "%00", "x" * 300):
        assert (await admin.delete(f"{KEYS}/{key_id}")).status_code == 404
    assert await keys(admin) == [new]
