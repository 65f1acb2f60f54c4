"""Webhooks at their receiver: signatures by Standard Webhooks 1.0 (standardwebhooks.com). No I/O."""

import base64
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from piperoll.client.errors import MissingHeaderError, SignatureError, StaleWebhookError, WrongSignatureError

SECRET_PREFIX, PUBLIC_PREFIX = "whsec_", "whpk_"
TOLERANCE_S = 300.0


def verify_webhook(
    headers: Mapping[str, str],
    body: bytes,
    keys: str | Iterable[str],
    *,
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> dict[str, Any]:
    """Return the JSON of a webhook that is genuine.

    `body` are the bytes as received. `keys` are one or more of the receiver: secrets (`whsec_…`, for `v1`) or public
    keys (`whpk_…`, for `v1a`, with the extra `ed25519`). During a rotation the webhook has signatures of both keys, and
    the receiver may hold both: one that fits is enough. The time of the webhook may be `tolerance_s` seconds from
    `now`, the Unix time. A webhook may arrive twice: compare its `webhook-id`.

    Raises MissingHeaderError, StaleWebhookError and WrongSignatureError, all of them SignatureErrors; ValueError for
    an unusable key.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    message_id, sent_at, signatures = (
        _required(lowered, f"webhook-{name}") for name in ("id", "timestamp", "signature")
    )
    _check_time(sent_at, time.time() if now is None else now, tolerance_s)
    signed = f"{message_id}.{sent_at}.".encode() + body
    offered = [one.partition(",")[::2] for one in signatures.split()]
    listed = [keys] if isinstance(keys, str) else list(keys)
    fitting = [_fits(key, offered, signed) for key in listed]  # all are tried, so that a broken key is always noticed
    if not any(fitting):
        raise WrongSignatureError("no signature fits to a key: the body was changed, or the key is another one")
    try:
        return dict(json.loads(body))
    except (ValueError, TypeError):
        raise SignatureError("the body is signed and is not a JSON object") from None


def _required(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "").strip()
    if not value:
        raise MissingHeaderError(f"the header {name} is missing: this is not a signed webhook")
    return value


def _check_time(sent_at: str, now: float, tolerance_s: float) -> None:
    if not sent_at.isascii() or not sent_at.isdecimal() or len(sent_at) > 12:
        raise MissingHeaderError("the header webhook-timestamp is not a Unix time")
    if abs(now - int(sent_at)) > tolerance_s:
        raise StaleWebhookError(f"the webhook was signed {now - int(sent_at):+.0f} s ago: more than {tolerance_s:g} s")


def _fits(key: str, offered: list[tuple[str, str]], signed: bytes) -> bool:
    if key.startswith(SECRET_PREFIX):
        wanted = base64.b64encode(hmac.digest(_bytes(key, SECRET_PREFIX), signed, "sha256"))
        return any(hmac.compare_digest(wanted, text.encode()) for kind, text in offered if kind == "v1")
    if key.startswith(PUBLIC_PREFIX):
        public = _bytes(key, PUBLIC_PREFIX)
        return any(_is_ed25519(public, text, signed) for kind, text in offered if kind == "v1a")
    raise ValueError(f"a key of a webhook begins with {SECRET_PREFIX} or {PUBLIC_PREFIX}")


def _is_ed25519(public: bytes, text: str, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    known = Ed25519PublicKey.from_public_bytes(public)
    try:
        known.verify(base64.b64decode(text, validate=True), signed)
    except (InvalidSignature, ValueError):  # ValueError: not base64, or not ASCII
        return False
    return True


def _bytes(key: str, prefix: str) -> bytes:
    try:
        return base64.b64decode(key.removeprefix(prefix), validate=True)
    except ValueError:
        raise ValueError(f"a key of a webhook has base64 after {prefix}") from None
