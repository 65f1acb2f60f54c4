"""The origin of an address (RFC 6454): what counts as one receiver. Pure."""

import hashlib
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """`scheme://host:port` of a URL, the port always said. Raises ValueError for what is no http or https address."""
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f"no http or https address: {parts.scheme}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or DEFAULT_PORTS[parts.scheme]}"


def digest_of(origin: str) -> str:
    """What stands for an origin in the log, where no address may stand: its SHA-256 in hex."""
    return hashlib.sha256(origin.encode()).hexdigest()
