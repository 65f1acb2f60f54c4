"""Signatures of webhooks, checked as receivers check them: with their own library, and with the public key."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from piperoll.webhooks.signatures import (
    SigningKey,
    content,
    draw_private_key,
    draw_secret,
    read_private_key,
    sign_with_keys,
    sign_with_secret,
)

AT = datetime(2026, 1, 31, 10, tzinfo=UTC)


def key(name: str = "signing-1", active_until: datetime | None = None) -> SigningKey:
    return SigningKey(name, draw_secret(), read_private_key(draw_private_key()), active_until)


def headers(time: datetime, signature: str) -> dict[str, str]:
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(time.timestamp())),
        "webhook-signature": signature,
    }


@given(st.binary(min_size=24, max_size=64), st.text(max_size=200))
def test_receivers_own_library_accepts_a_secrets_signature_and_no_other_body(raw: bytes, text: str) -> None:
    secret, body = f"whsec_{base64.b64encode(raw).decode()}", json.dumps(text).encode()
    now = datetime.now(UTC)  # the library refuses what is five minutes old
    sent = headers(now, sign_with_secret(secret, content("msg_1", now, body)))
    assert Webhook(secret).verify(body, sent) == text
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", sent)


@pytest.mark.parametrize("secret", ["c2VjcmV0", "whsec_!!", "whsec_c2VjcmV", "whsk_c2VjcmV0"])
def test_a_secret_of_another_form_signs_nothing(secret: str) -> None:
    with pytest.raises(ValueError, match="not a signing key") as refused:
        sign_with_secret(secret, b"")
    assert secret not in str(refused.value)


@pytest.mark.parametrize("private", ["", "whsec_c2VjcmV0", "whsk_!!", "whsk_c2VjcmV0"])
def test_a_private_key_of_another_form_is_not_read(private: str) -> None:
    with pytest.raises(ValueError, match="key"):
        read_private_key(private)


@given(st.binary(max_size=200))
def test_each_key_signs_in_both_ways_and_the_newest_comes_first(body: bytes) -> None:
    new, old = key(), key()
    signed = content("msg_1", AT, body)
    parts = sign_with_keys([new, old], signed).split(" ")
    assert [part.partition(",")[0] for part in parts] == ["v1", "v1a", "v1", "v1a"]
    assert parts[0] == sign_with_secret(new.secret, signed)
    assert parts[2] == sign_with_secret(old.secret, signed)
    for one, part in ((new, parts[1]), (old, parts[3])):
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(one.public_key.removeprefix("whpk_")))
        signature = base64.b64decode(part.removeprefix("v1a,"))
        public.verify(signature, signed)
        for other in (signed + b" ", content("msg_2", AT, body), content("msg_1", AT + timedelta(seconds=1), body)):
            with pytest.raises(InvalidSignature):
                public.verify(signature, other)


def test_receivers_own_library_finds_the_signature_of_its_secret_among_many() -> None:
    new, old, body, now = key(), key(), b'{"phase":"completed"}', datetime.now(UTC)
    sent = headers(now, sign_with_keys([new, old], content("msg_1", now, body)))
    for one in (new, old):
        assert Webhook(one.secret).verify(body, sent) == {"phase": "completed"}
    with pytest.raises(WebhookVerificationError):
        Webhook(key().secret).verify(body, sent)


def test_a_secret_is_not_the_way_to_the_private_key_that_was_drawn_beside_it() -> None:
    drawn = key()
    guessed = Ed25519PrivateKey.from_private_bytes(base64.b64decode(drawn.secret.removeprefix("whsec_")))
    assert guessed.public_key() != drawn.private_key.public_key()


def test_no_two_secrets_and_no_two_private_keys_are_the_same() -> None:
    drawn = [draw_secret() for _ in range(50)] + [draw_private_key() for _ in range(50)]
    assert len({text.partition("_")[2] for text in drawn}) == 100
    assert {len(base64.b64decode(text.partition("_")[2])) for text in drawn} == {32}


def test_a_key_signs_until_its_end_and_not_at_it() -> None:
    ending = key(active_until=AT)
    assert key().active(AT)
    assert ending.active(AT - timedelta(microseconds=1))
    assert not ending.active(AT)


def test_a_key_in_a_log_line_shows_its_id_alone() -> None:
    drawn = key("signing-7")
    shown = repr(drawn)
    assert "signing-7" in shown
    assert drawn.secret not in shown
    assert "whs" not in shown
