"""Signatures of webhooks over the bytes that are posted."""

import base64

import asyncpg
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from piperoll.clock import utc_now
from piperoll.seal import Seal
from piperoll.settings import Settings
from piperoll.webhooks import signing_keys
from piperoll.webhooks.signatures import SigningKey
from schemas.events import WebhookDelivered
from schemas.ids import draw_job_id, draw_signing_key_id
from services.notifier.delivery import signing_keys as notifier_keys
from services.notifier.delivery.composer import LARGE_BYTES
from tests.support.servers.receiver import Received, Receiver
from tests.support.stacks.notifying import STARTED, Rig, running

HOUR_S = 3600.0
OWNER = "owner"


async def active(rig: Rig) -> list[SigningKey]:
    return await signing_keys.active(rig.pool, rig.seal, OWNER)


async def rotate(rig: Rig) -> list[SigningKey]:
    return await signing_keys.rotate(rig.pool, rig.seal, OWNER, HOUR_S, draw_signing_key_id())


def lowered(sent: Received) -> dict[str, str]:
    return {name.lower(): text for name, text in sent.headers.items()}


def verify(sent: Received, key: SigningKey, body: bytes | None = None) -> None:
    """Checks both signatures of a key as receivers would. Raises WebhookVerificationError or InvalidSignature."""
    content = sent.body if body is None else body
    headers = lowered(sent)
    Webhook(key.secret).verify(content, headers)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key.public_key.removeprefix("whpk_")))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + content
    given = [part.removeprefix("v1a,") for part in headers["webhook-signature"].split() if part.startswith("v1a,")]
    for signature in given:
        try:
            return public.verify(base64.b64decode(signature), signed)
        except InvalidSignature:
            continue
    raise InvalidSignature


async def last_hook(rig: Rig, receiver: Receiver, path: str, **webhook: str) -> Received:
    """The final hook of a new job."""
    await rig.run_job(receiver.url(path), **webhook)
    found: list[Received] = await receiver.wait_for(lambda it: [one for one in it.at(path) if b"complet" in one.body])
    return found[0]


async def test_progress_and_outcome_are_signed_over_the_bytes_that_are_posted(
    local: Settings, fresh: asyncpg.Pool
) -> None:
    async with Receiver() as receiver, running(local) as rig:
        last = await last_hook(rig, receiver, "/hook", token="token-of-mine")
        (key,) = await active(rig)
        progress, final = receiver.at("/hook")[0], last
        for sent in (progress, final):
            verify(sent, key)
            with pytest.raises(WebhookVerificationError):
                Webhook(key.secret).verify(sent.body + b" ", lowered(sent))
            assert sent.headers["Authorization"] == "Bearer token-of-mine"
            assert sent.headers["X-Callback-Token"] == "token-of-mine"
            assert [one.partition(",")[0] for one in sent.headers["webhook-signature"].split()] == ["v1", "v1a"]


async def test_a_large_body_is_signed_as_it_is_posted(local: Settings, fresh: asyncpg.Pool) -> None:
    async with Receiver() as receiver, running(local) as rig:
        job_id = draw_job_id()
        ended = rig.completed(job_id, "ä" * LARGE_BYTES)
        await rig.append(job_id, rig.created(job_id, receiver.url("/large")), STARTED, ended)
        await rig.wait_for_state(job_id, "delivered")
        sent = receiver.at("/large")[-1]
        assert len(sent.body) > 2 * LARGE_BYTES
        verify(sent, (await active(rig))[0])


async def test_after_a_rotation_both_keys_verify_and_the_newest_comes_first(
    local: Settings, fresh: asyncpg.Pool
) -> None:
    async with Receiver() as receiver, running(local) as rig:
        await active(rig)
        new, old = await rotate(rig)
        sent = await last_hook(rig, receiver, "/both")
        verify(sent, new)
        verify(sent, old)
        signatures = sent.headers["webhook-signature"].split()
        assert [one.partition(",")[0] for one in signatures] == ["v1", "v1a", "v1", "v1a"]
        first = {**lowered(sent), "webhook-signature": signatures[0]}
        Webhook(new.secret).verify(sent.body, first)
        with pytest.raises(WebhookVerificationError):
            Webhook(old.secret).verify(sent.body, first)


async def test_a_hook_waits_for_a_key_that_cannot_be_opened(local: Settings, fresh: asyncpg.Pool) -> None:
    await signing_keys.active(fresh, Seal({"lost": bytes(32)}), OWNER)
    async with Receiver() as receiver, running(local) as rig:
        job_id = await rig.run_job(receiver.url("/waits"))

        async def tried() -> bool:
            row = await rig.row(job_id)
            assert row is not None
            assert row["attempts"] == 0
            return bool(row["next_attempt_at"] > utc_now())

        await receiver.wait_for(lambda _: tried(), description="the hook to be put off")
        assert receiver.at("/waits") == []
        assert await rig.deliveries(job_id) == []
        (key,) = await rotate(rig)
        (fact,) = await rig.wait_for_deliveries(job_id, 1)
        assert isinstance(fact, WebhookDelivered)
        assert fact.attempt == 1
        verify(receiver.at("/waits")[0], key)


async def test_the_next_hook_is_not_signed_with_a_key_that_was_ended(
    local: Settings, fresh: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier_keys, "REMEMBER_S", 3600.0)
    async with Receiver() as receiver, running(local) as rig:
        await last_hook(rig, receiver, "/before")
        (leaked,) = await active(rig)
        kept = await signing_keys.end(rig.pool, rig.seal, OWNER, leaked.key_id)
        assert kept is not None
        sent = await last_hook(rig, receiver, "/after")
        assert len(sent.headers["webhook-signature"].split()) == 2, "of one key"
        verify(sent, kept[0])
        with pytest.raises(WebhookVerificationError):
            Webhook(leaked.secret).verify(sent.body, lowered(sent))
