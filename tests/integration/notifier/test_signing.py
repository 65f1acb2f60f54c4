"""A job's own webhook is signed with its owner's keys: real Postgres, real sockets, a log in memory."""

import asyncio
import base64
from datetime import timedelta

import asyncpg
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from piperoll import keys
from piperoll.clock import utc_now
from piperoll.seal import Seal
from piperoll.settings import Settings
from piperoll.webhooks import signing_keys
from piperoll.webhooks.signatures import SigningKey
from schemas.events import WebhookDelivered
from schemas.ids import draw_job_id, draw_signing_key_id
from services.notifier.delivery import signing_keys as notifier_keys
from services.notifier.delivery.composer import LARGE_BYTES
from services.notifier.delivery.signing_keys import SigningKeyCache, SigningKeysAwayError
from tests.support.servers.receiver import Received, Receiver
from tests.support.stacks.notifying import STARTED, Rig, running

OWNER = "owner"  # of every job of the rig
HOUR_S = 3600.0


@pytest.fixture(scope="module")
def quick(environment: dict[str, str]) -> Settings:
    return Settings.from_environment({**environment, "PIPEROLL_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8"})


@pytest.fixture
async def fresh(pool: asyncpg.Pool) -> asyncpg.Pool:
    """A database without keys."""
    await keys.prepare(pool)
    await pool.execute("TRUNCATE access.signing_keys")
    return pool


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
    quick: Settings, fresh: asyncpg.Pool
) -> None:
    async with Receiver() as receiver, running(quick) as rig:
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


async def test_a_large_body_is_signed_as_it_is_posted(quick: Settings, fresh: asyncpg.Pool) -> None:
    async with Receiver() as receiver, running(quick) as rig:
        job_id = draw_job_id()
        ended = rig.completed(job_id, "ä" * LARGE_BYTES)
        await rig.append(job_id, rig.created(job_id, receiver.url("/large")), STARTED, ended)
        await rig.wait_for_state(job_id, "delivered")
        sent = receiver.at("/large")[-1]
        assert len(sent.body) > 2 * LARGE_BYTES
        verify(sent, (await active(rig))[0])


async def test_after_a_rotation_both_keys_verify_and_the_newest_comes_first(
    quick: Settings, fresh: asyncpg.Pool
) -> None:
    async with Receiver() as receiver, running(quick) as rig:
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


async def test_a_hook_waits_for_a_key_that_cannot_be_opened(quick: Settings, fresh: asyncpg.Pool) -> None:
    await signing_keys.active(fresh, Seal({"lost": bytes(32)}), OWNER)
    async with Receiver() as receiver, running(quick) as rig:
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


@pytest.fixture
def remembering(quick: Settings, fresh: asyncpg.Pool) -> SigningKeyCache:
    return SigningKeyCache(fresh, Seal(quick.sealing_keys), utc_now)


async def locked_out(pool: asyncpg.Pool, remembering: SigningKeyCache, *owners: str) -> list[bool]:
    """Of each owner, whether the keys were remembered while the table cannot be read."""
    remembered = []
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE access.signing_keys")
        for owner in owners:
            try:
                remembered.append(bool(await remembering.of(owner)))
            except SigningKeysAwayError:
                remembered.append(False)
    return remembered


async def test_a_remembered_key_stops_signing_at_its_end(quick: Settings, fresh: asyncpg.Pool) -> None:
    seal, now = Seal(quick.sealing_keys), utc_now()
    remembering = SigningKeyCache(fresh, seal, lambda: now)
    await signing_keys.active(fresh, seal, OWNER)
    new, old = await signing_keys.rotate(fresh, seal, OWNER, HOUR_S, draw_signing_key_id())
    assert [key.key_id for key in await remembering.of(OWNER)] == [new.key_id, old.key_id]
    await fresh.execute("DELETE FROM access.signing_keys")  # whatever is returned now was remembered
    assert [key.key_id for key in await remembering.of(OWNER)] == [new.key_id, old.key_id]
    now += timedelta(seconds=HOUR_S + 60)
    assert [key.key_id for key in await remembering.of(OWNER)] == [new.key_id]


async def test_many_hooks_of_one_owner_and_of_others_at_once_get_their_owners_keys(
    remembering: SigningKeyCache, fresh: asyncpg.Pool
) -> None:
    owners = ["a", "b", "c"] * 20
    found = await asyncio.gather(*(remembering.of(owner) for owner in owners))
    rows = await fresh.fetch("SELECT owner, key_id FROM access.signing_keys")
    assert len(rows) == 3
    expected = {row["owner"]: row["key_id"] for row in rows}
    assert [key.key_id for (key,) in found] == [expected[owner] for owner in owners]


async def test_only_so_many_owners_are_remembered(
    remembering: SigningKeyCache, fresh: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier_keys, "MAX_OWNERS", 2)
    monkeypatch.setattr(notifier_keys, "READ_S", 0.1)
    for owner in ("a", "b", "c"):
        await remembering.of(owner)
    assert await locked_out(fresh, remembering, "a", "b", "c") == [False, True, True]


async def test_keys_that_cannot_be_read_are_away_and_there_again_as_soon_as_they_can(
    remembering: SigningKeyCache, fresh: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifier_keys, "READ_S", 0.1)
    assert await locked_out(fresh, remembering, OWNER) == [False]
    assert len(await remembering.of(OWNER)) == 1
