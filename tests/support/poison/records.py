"""Records that can be written to a topic by anyone, each with the beginning of the reason for which it is parked."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic_core import from_json, to_json

from schemas.envelope import Fact, Headers, encode

Parts = tuple[bytes | None, bytes | None, Headers]


@dataclass(frozen=True, slots=True)
class Poison:
    """How a good record is spoiled, and what the reason of its letter contains."""

    spoil: Callable[[Parts], Parts]
    why: str

    def of(self, fact: Fact) -> Parts:
        """The spoilt record of a fact."""
        return self.spoil(encode(fact))


def header(name: str, value: bytes | None, why: str) -> Poison:
    def spoil(parts: Parts) -> Parts:
        key, body, headers = parts
        others = [pair for pair in headers if pair[0] != name]
        return key, body, [*others, (name, value)]  # type: ignore[list-item]

    return Poison(spoil, why)


def value(body: bytes | None, why: str) -> Poison:
    return Poison(lambda parts: (parts[0], body, parts[2]), why)


def field(change: Callable[[dict[str, object]], None], why: str) -> Poison:
    def spoil(parts: Parts) -> Parts:
        body = from_json(parts[1] or b"")
        change(body)
        return parts[0], to_json(body), parts[2]

    return Poison(spoil, why)


def bare(body: bytes | None) -> Poison:
    return Poison(lambda parts: (parts[0], body, []), "the header ce_id is missing")


def _with_uri(uri: str) -> Callable[[dict[str, object]], None]:
    """Give every claim in a body this uri."""

    def change(body: dict[str, object]) -> None:
        for name, old in body.items():
            if isinstance(old, dict) and "sha256" in old:
                body[name] = {**old, "uri": uri}

    return change


def _with_nul(body: dict[str, object]) -> None:
    for name, old in body.items():
        if isinstance(old, str) and name != "phase":
            body[name] = "\x00" + old
        if isinstance(old, dict) and "media_type" in old:
            body[name] = {**old, "media_type": "text/\x00"}


EVERYWHERE: dict[str, Poison] = {
    "nothing at all": bare(None),
    "no event": bare(b"no event"),
    "a megabyte": bare(b"\xff" * 1_000_000),
    "no value": value(None, "validation error"),
    "deep JSON": value(b"[" * 200_000, "validation error"),
    "deep object": value(b'{"a":' * 100_000, "validation error"),
    "a huge number": value(b'{"by": ' + b"9" * 100_000 + b"}", "validation error"),
    "another shape": value(b'{"by": [], "attempt": "x"}', "validation error"),
    "not UTF-8": value(b'{"by": "\xff\xfe"}', "validation error"),
    "a lone surrogate": value(b'{"by": "\\ud800"}', "validation error"),
    "no id": Poison(lambda p: (p[0], p[1], [one for one in p[2] if one[0] != "ce_id"]), "the header ce_id is missing"),
    "an empty id": header("ce_id", b"", "the header ce_id is empty"),
    "an id without a value": header("ce_id", None, "the header ce_id is missing"),
    "a long id": header("ce_id", b"x" * 100_000, "more than 255 bytes"),
    "the year 1": header("ce_time", b"0001-01-01T00:00:00+23:59", "ce_time is not between"),
    "the year 9999": header("ce_time", b"9999-12-31T23:59:59Z", "ce_time is not between"),
    "no year": header("ce_time", b"soon", "isoformat"),
    "an owner with NUL": header("ce_owner", b"ac\x00me", "control characters"),
    "an owner that leads away": header("ce_owner", b"../../etc", "cannot have uploads"),
    "another subject": header("ce_subject", b"healthy", "the record's key is not its subject"),
    "a foreign type": header("ce_type", b"com.example.Order.v1", "not an event of Piperoll"),
    "NUL in a text": field(_with_nul, "contains NUL"),
    **{
        f"{name} that is not UTF-8": header(name, b"\xff\xfe", "utf-8")
        for name in ("ce_id", "ce_type", "ce_owner", "ce_time", "ce_source", "traceparent")
    },
}
"""For every topic."""

WITH_CLAIMS: dict[str, Poison] = {
    f"a claim on {uri[:12]!r}": field(_with_uri(uri), "cannot be opened, because of its uri")
    for uri in ("a//b", "../x", "a/../b", "", "/etc/passwd", "a/", "x" * 300, "a\x01b")
}
"""For topics whose events have claims."""
