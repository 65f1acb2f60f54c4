"""The origin of a URL (RFC 6454), which identifies a receiver. Pure."""

import hashlib
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """Return `scheme://host:port`, always with a port. Raises ValueError unless the URL is http or https."""
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f"not an http or https URL: {parts.scheme}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or DEFAULT_PORTS[parts.scheme]}"


def digest_of(origin: str) -> str:
    """Return the SHA-256 of an origin in hex, for the log, which must not contain addresses."""
    return hashlib.sha256(origin.encode()).hexdigest()
