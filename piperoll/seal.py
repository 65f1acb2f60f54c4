"""Encryption of webhook tokens by AES-256-GCM, prefixed with the key's id so that keys can be rotated."""

import base64
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12  # the size GCM is defined for (NIST SP 800-38D)


class SealError(ValueError):
    """No configured key opens the sealed text."""


class Seal:
    """Encrypts with the first of `keys` (id -> 32 bytes) and decrypts with any of them."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise SealError("no sealing key is configured: set PIPEROLL_SEAL_KEYS to id:base64-of-32-bytes")
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._current = next(iter(keys))

    @property
    def current(self) -> str:
        """The id of the key that seals."""
        return self._current

    def seal(self, text: str) -> str:
        """Return `key id.base64(nonce + ciphertext)`."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, text.encode(), self._current.encode())
        return f"{self._current}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str) -> str:
        """Return the text. Raises SealError when the key is not configured or the sealed text was changed."""
        name, _, payload = sealed.partition(".")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise SealError(f"the sealing key {name!r} is not configured")
        try:
            raw = base64.urlsafe_b64decode(payload)
            return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], name.encode()).decode()
        except (InvalidTag, ValueError) as error:  # ValueError: not base64, or truncated
            raise SealError("the sealed text was changed or sealed with another key") from error
