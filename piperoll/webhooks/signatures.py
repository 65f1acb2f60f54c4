"""Signatures of webhooks by Standard Webhooks 1.0 (standardwebhooks.com): `v1` with a secret, `v1a` with a key pair.

Pure, except for random keys. The storage of keys is `piperoll.webhooks.signing_keys`.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET_PREFIX = "whsec_"
PRIVATE_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
KEY_BYTES = 32  # of a secret (the standard: 24 to 64), and of an Ed25519 key (RFC 8032)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A signing key of an owner: a secret, shared with receivers, and a private key. The newest never ends."""

    key_id: str
    secret: str = field(repr=False)
    private_key: Ed25519PrivateKey = field(repr=False)
    active_until: datetime | None = None

    @property
    def public_key(self) -> str:
        """`whpk_` and the public key in base64, for receivers that verify without a secret."""
        return _text(PUBLIC_PREFIX, self.private_key.public_key().public_bytes_raw())

    def active(self, now: datetime) -> bool:
        """Whether the key signs at `now`."""
        return self.active_until is None or now < self.active_until


def draw_secret() -> str:
    """Return a new secret: `whsec_` and 32 random bytes in base64."""
    return _text(SECRET_PREFIX, secrets.token_bytes(KEY_BYTES))


def draw_private_key() -> str:
    """Return a new private key: `whsk_` and 32 random bytes in base64."""
    return _text(PRIVATE_PREFIX, secrets.token_bytes(KEY_BYTES))


def read_private_key(text: str) -> Ed25519PrivateKey:
    """Parse a private key. Raises ValueError."""
    return Ed25519PrivateKey.from_private_bytes(_bytes(PRIVATE_PREFIX, text))


def content(delivery_id: str, time: datetime, body: bytes) -> bytes:
    """Return the signed content: the message's id, its Unix time in seconds, and the body as posted."""
    return f"{delivery_id}.{int(time.timestamp())}.".encode() + body


def sign_with_secret(secret: str, signed: bytes) -> str:
    """Return `v1,` and the HMAC-SHA256 in base64. Raises ValueError for an invalid secret."""
    return f"v1,{_base64(hmac.digest(_bytes(SECRET_PREFIX, secret), signed, 'sha256'))}"


def sign_with_keys(keys: Iterable[SigningKey], signed: bytes) -> str:
    """Return the `webhook-signature` header: `v1` and `v1a` (Ed25519) of each key, in the order of the keys."""
    pairs = (f"{sign_with_secret(key.secret, signed)} v1a,{_base64(key.private_key.sign(signed))}" for key in keys)
    return " ".join(pairs)


def _text(prefix: str, key: bytes) -> str:
    return f"{prefix}{_base64(key)}"


def _bytes(prefix: str, text: str) -> bytes:
    if not text.startswith(prefix):
        raise ValueError(f"not a signing key: it does not begin with {prefix}")
    try:
        return base64.b64decode(text.removeprefix(prefix), validate=True)
    except binascii.Error:
        raise ValueError(f"not a signing key: no base64 after {prefix}") from None


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
