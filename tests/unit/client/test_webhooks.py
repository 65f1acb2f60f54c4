"""Webhooks at their receiver: what the notifier signs is genuine, and nothing else is."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from piperoll.client.errors import MissingHeaderError, SignatureError, StaleWebhookError, WrongSignatureError
from piperoll.client.webhooks import verify_webhook
from piperoll.webhooks.messages import webhook_message
from piperoll.webhooks.signatures import (
    SigningKey,
    content,
    draw_private_key,
    draw_secret,
    read_private_key,
    sign_with_keys,
    sign_with_secret,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BODY = json.dumps({"phase": "completed", "data": {"text": "ä"}}).encode()


def key(name: str = "a") -> SigningKey:
    return SigningKey(name, draw_secret(), read_private_key(draw_private_key()))


OLD, NEW, OTHER = key("old"), key("new"), key("other")


def message(*keys: SigningKey, body: bytes = BODY) -> dict[str, str]:
    signature = sign_with_keys(keys, content("msg_1", NOW, body))
    return webhook_message("msg_1", None, NOW, body, signature).headers


def verified(headers: dict[str, str], keys: object, body: bytes = BODY, late_s: float = 0.0) -> dict[str, object]:
    return verify_webhook(headers, body, keys, now=NOW.timestamp() + late_s)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "held",
    [NEW.secret, NEW.public_key, [OLD.secret, OTHER.secret], (OTHER.public_key, OLD.public_key)],
    ids=["secret", "public", "old_secret", "old_public"],
)
def test_a_webhook_is_genuine_with_any_key_of_a_rotation_in_both_forms(held: object) -> None:
    assert verified(message(NEW, OLD), held) == json.loads(BODY)


def test_the_names_of_headers_may_have_any_case() -> None:
    assert verified({name.title(): value for name, value in message(NEW).items()}, NEW.secret)


def test_a_webhook_of_an_endpoint_is_genuine() -> None:
    signed = message(NEW) | {"webhook-signature": sign_with_secret(OLD.secret, content("msg_1", NOW, BODY))}

    assert verified(signed, OLD.secret) == json.loads(BODY)


def test_the_library_of_the_standard_agrees() -> None:
    now = datetime.now(UTC)
    headers = message(NEW) | {
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": sign_with_keys([NEW], content("msg_1", now, BODY)),
    }

    assert Webhook(NEW.secret).verify(BODY.decode(), headers) == verify_webhook(headers, BODY, NEW.secret)


@pytest.mark.parametrize(
    "held",
    [OTHER.secret, OTHER.public_key, [], [OTHER.secret, OTHER.public_key]],
    ids=["secret", "public", "none", "both"],
)
def test_a_webhook_of_another_key_is_refused(held: object) -> None:
    with pytest.raises(WrongSignatureError):
        verified(message(NEW, OLD), held)


@given(place=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_a_changed_body_is_refused(place: int, bit: int) -> None:
    changed = bytearray(BODY)
    changed[place] ^= 1 << bit

    for held in (NEW.secret, NEW.public_key):
        with pytest.raises(WrongSignatureError):
            verified(message(NEW), held, bytes(changed))


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_what_is_signed_beside_the_body_cannot_be_changed(name: str) -> None:
    headers = message(NEW)
    headers[name] = headers[name].replace("1", "2")

    with pytest.raises(SignatureError):
        verified(headers, NEW.secret)


@pytest.mark.parametrize("late_s", [-301, 301, 86_400])
def test_an_old_webhook_and_one_of_the_future_are_refused(late_s: float) -> None:
    with pytest.raises(StaleWebhookError):
        verified(message(NEW), NEW.secret, late_s=late_s)
    assert verify_webhook(message(NEW), BODY, NEW.secret, now=NOW.timestamp() + late_s, tolerance_s=90_000)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, " "])
def test_a_missing_header_is_named(name: str, value: str | None) -> None:
    headers = {one: text for one, text in message(NEW).items() if one != name} | ({name: value} if value else {})

    with pytest.raises(MissingHeaderError, match=name):
        verified(headers, NEW.secret)


@pytest.mark.parametrize("time", ["now", "-1", "1e9", "١٢", "9" * 40])
def test_a_time_that_is_none_is_refused(time: str) -> None:
    with pytest.raises(SignatureError):
        verified(message(NEW) | {"webhook-timestamp": time}, NEW.secret)


@pytest.mark.parametrize("signature", ["v1", "v1,", "v1,ä", "v2,abc", ", ,", "v1a,!!", "v1a,ä", "v1a,YQ=="])
@pytest.mark.parametrize("held", [NEW.secret, NEW.public_key], ids=["secret", "public"])
def test_a_malformed_signature_fits_to_no_key(signature: str, held: str) -> None:
    with pytest.raises(WrongSignatureError):
        verified(message(NEW) | {"webhook-signature": signature}, held)


@pytest.mark.parametrize("held", ["secret", "whsec_ä", "whsec_???", "whpk_" + base64.b64encode(b"short").decode()])
def test_an_unusable_key_is_an_error_of_the_receiver(held: str) -> None:
    with pytest.raises(ValueError, match="key"):
        verified(message(NEW), held)


def test_a_signed_body_that_is_not_an_object_is_refused() -> None:
    with pytest.raises(SignatureError, match="object"):
        verified(message(NEW, body=b"[1]"), NEW.secret, b"[1]")
