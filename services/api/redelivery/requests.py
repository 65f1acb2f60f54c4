"""What a request for redelivery may say. Pure: a body in, what was meant out. Every function raises ApiError (400)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from piperoll.webhooks.origins import origin_of
from services.api.http.errors import invalid_field
from services.api.http.fields import check_names

MAX_CHARS = 2048


@dataclass(frozen=True, slots=True)
class RedeliveryRequest:
    """The hooks held or given up at a receiver since a time. On a dry run they are only counted."""

    origin: str
    since: datetime
    dry_run: bool


def wanted_delivery(body: dict[str, Any]) -> str | None:
    """The delivery that is named, if one is."""
    check_names(body, {"delivery_id"})
    named = body.get("delivery_id")
    if named is not None and (not isinstance(named, str) or not 1 <= len(named) <= MAX_CHARS):
        raise invalid_field("delivery_id", "must be the delivery_id of one of the job's deliveries")
    return named


def wanted_hooks(body: dict[str, Any]) -> RedeliveryRequest:
    """Which hooks are meant; without `dry_run: false` they are only counted."""
    check_names(body, {"origin", "since", "dry_run"})
    dry_run = body.get("dry_run", True)
    if not isinstance(dry_run, bool):
        raise invalid_field("dry_run", "must be true or false")
    return RedeliveryRequest(_origin(body.get("origin")), _since(body.get("since")), dry_run)


def _origin(text: object) -> str:
    wrong = invalid_field("origin", "must be scheme://host or scheme://host:port, such as https://example.com")
    if not isinstance(text, str) or len(text) > MAX_CHARS or not text.isprintable() or " " in text:
        raise wrong
    try:
        parts, origin = urlsplit(text), origin_of(text)
    except ValueError as error:
        raise wrong from error
    if parts.path.rstrip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise wrong
    return origin


def _since(text: object) -> datetime:
    wrong = invalid_field("since", "must be a time with its zone (ISO 8601), such as 2026-01-31T10:00:00Z")
    try:
        since = datetime.fromisoformat(text) if isinstance(text, str) else None
        if since is None or since.tzinfo is None:
            raise wrong
        return since.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise wrong from error
