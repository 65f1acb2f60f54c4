"""Endpoints, keys, limits, health, the audit and the state of the installation."""

import json
from collections.abc import Iterable
from datetime import datetime

from piperoll.client.errors import ServerError
from piperoll.client.exchange import answered, create, delete, final, given, part, query_of, read, viewed
from piperoll.client.views.admin import (
    AuditView,
    EndpointView,
    HealthView,
    KeyView,
    LimitsView,
    SigningKeyView,
    SignInLinkView,
    TrialView,
)
from piperoll.client.views.system import RedrivenView, SystemView
from piperoll.client.wire import ApiReply, ApiRequest, Script, Send, TransportFault

READY, NOT_READY = 200, 503


def register_endpoint(
    url: str,
    *,
    token: str | None = None,
    statuses: Iterable[str] | None = None,
    idempotency_key: str | None = None,
) -> Script[EndpointView]:
    """Register an endpoint for every change of status of the owner's jobs; only this answer has its `secret`."""
    body = given(url=url, token=token, statuses=None if statuses is None else list(statuses))
    return viewed(EndpointView, (yield from answered(create("/v1/webhooks", body, key=idempotency_key))))


def list_endpoints() -> Script[list[EndpointView]]:
    """Return the endpoints, the newest first, without their secrets."""
    return [viewed(EndpointView, one) for one in (yield from answered(read("/v1/webhooks")))]


def delete_endpoint(endpoint_id: str) -> Script[None]:
    """Remove an endpoint; nothing more is sent to it."""
    yield from answered(delete(f"/v1/webhooks/{part(endpoint_id)}"))


def try_endpoint(endpoint_id: str) -> Script[str]:
    """Send a trial to an endpoint and return the id that it has as `jobId`."""
    path = f"/v1/webhooks/{part(endpoint_id)}/test"
    data = yield from answered(ApiRequest("POST", path, repeatable=False))
    return str(data["jobId"])


def try_webhook(url: str, *, token: str | None = None) -> Script[TrialView]:
    """Post a trial to a webhook and return a diagnosis."""
    body = given(url=url, token=token)
    return viewed(
        TrialView, (yield from answered(ApiRequest("POST", "/api/webhooks/test", body=body, repeatable=False)))
    )


def list_signing_keys() -> Script[list[SigningKeyView]]:
    """Return the keys that sign the webhooks of jobs, the newest first."""
    data = yield from answered(read("/api/webhooks/signing-keys"))
    return [viewed(SigningKeyView, one) for one in data["keys"]]


def rotate_signing_key(*, idempotency_key: str | None = None) -> Script[list[SigningKeyView]]:
    """Sign with a new key, and for a while with the previous one as well; return all keys."""
    data = yield from answered(create("/api/webhooks/signing-keys/rotate", {}, key=idempotency_key))
    return [viewed(SigningKeyView, one) for one in data["keys"]]


def end_signing_key(key_id: str) -> Script[list[SigningKeyView]]:
    """End a key at once, as one that leaked; return those that are left."""
    data = yield from answered(delete(f"/api/webhooks/signing-keys/{part(key_id)}"))
    return [viewed(SigningKeyView, one) for one in data["keys"]]


def list_keys() -> Script[list[KeyView]]:
    """Return the API keys of all owners, without the keys themselves."""
    return [viewed(KeyView, one) for one in (yield from answered(read("/api/keys")))["keys"]]


def create_key(
    owner: str,
    scopes: Iterable[str] = ("jobs",),
    *,
    expires_at: datetime | None = None,
    idempotency_key: str | None = None,
) -> Script[KeyView]:
    """Create an API key; only this answer has the `key`. `expires_at` has a time zone."""
    ends = None if expires_at is None else expires_at.isoformat()
    body = given(owner=owner, scopes=list(scopes), expires_at=ends)
    return viewed(KeyView, (yield from answered(create("/api/keys", body, key=idempotency_key))))


def rotate_key(key_id: str, *, overlap_s: float | None = None, idempotency_key: str | None = None) -> Script[KeyView]:
    """Replace an API key; the old one works for another `overlap_s`, a day."""
    path = f"/api/keys/{part(key_id)}/rotate"
    data = yield from answered(create(path, given(overlap_s=overlap_s), key=idempotency_key))
    return viewed(KeyView, data)


def end_key(key_id: str) -> Script[KeyView]:
    """End an API key. Raises ConflictError for the key of the request itself."""
    return viewed(KeyView, (yield from answered(delete(f"/api/keys/{part(key_id)}"))))


def sign_in_link() -> Script[SignInLinkView]:
    """Make a link that signs a browser in to the page of the API, once, as this key."""
    data = yield from answered(ApiRequest("POST", "/api/session/nonces", repeatable=True))
    return viewed(SignInLinkView, data)


def limits() -> Script[LimitsView]:
    """Return the limits of the owner, and what it uses of each."""
    return viewed(LimitsView, (yield from answered(read("/api/limits"))))


def health() -> Script[HealthView]:
    """Return whether the API can serve; asked once. Needs no key. Raises UnreachableError."""
    request = read("/api/health/ready")
    outcome: ApiReply | TransportFault = yield Send(request)
    if isinstance(outcome, ApiReply) and outcome.status == NOT_READY:
        try:
            final(request, outcome)
        except ServerError as error:
            return HealthView(ready=False, problems=error.details.get("problems") or {error.code: error.message})
    reply = final(request, outcome)
    return HealthView(ready=reply.status == READY and "data" in json.loads(reply.content))


def audit(
    *,
    owner: str | None = None,
    key_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
) -> Script[list[AuditView]]:
    """Return what happened to API keys and which key read or erased what, the newest first. For the scope `admin`."""
    times = {name: time and time.isoformat() for name, time in (("since", since), ("until", until))}
    query = query_of({"owner": owner, "key_id": key_id, "limit": limit, **times})
    data = yield from answered(ApiRequest("GET", "/api/audit", query))
    return [viewed(AuditView, one) for one in data["facts"]]


def system() -> Script[SystemView]:
    """Return the state of the installation. For the scope `admin`."""
    return viewed(SystemView, (yield from answered(read("/api/system"))))


def redrive(letter_id: str) -> Script[RedrivenView]:
    """Put a parked record back, with all other parked records of its key. For the scope `admin`. Raises ConflictError
    while it cannot be used."""
    path = f"/api/system/dead-letters/{part(letter_id)}/redrive"
    return viewed(RedrivenView, (yield from answered(ApiRequest("POST", path, repeatable=True))))
