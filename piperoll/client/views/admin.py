"""Endpoints, keys, limits and health. Secret parts are not in the `repr`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from piperoll.client.views.base import CamelView, View


class EndpointView(CamelView):
    """A registered endpoint; only the answer to its registration has the `secret`."""

    id: str
    url: str | None = None
    statuses: Sequence[str] = ()
    secret: str | None = Field(default=None, repr=False)
    created_at: datetime | None = None


class SigningKeyView(View):
    """A key that signs the webhooks of jobs: a `secret` for v1, a `public_key` for v1a."""

    id: str
    secret: str = Field(repr=False)
    public_key: str
    active_until: datetime | None = None


class KeyView(View):
    """An API key; only the answer to its creation has the `key`."""

    id: str
    owner: str
    scopes: Sequence[str] = ()
    key: str | None = Field(default=None, repr=False)
    created_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class LimitView(View):
    """A limit, and what is used of it; None while that cannot be counted."""

    limit: float | None = None
    used: float | None = None


class LimitsView(View):
    """The limits of the owner: of the installation, of the process that answers, of one request."""

    installation: Mapping[str, LimitView] = Field(default_factory=dict)
    process: Mapping[str, LimitView] = Field(default_factory=dict)
    request: Mapping[str, LimitView] = Field(default_factory=dict)


class HealthView(View):
    """Whether the API can serve, and what is missing if not."""

    ready: bool
    problems: Mapping[str, str] = Field(default_factory=dict)


class SignInLinkView(View):
    """A link to the page of the API: its address with `/#sign-in=` and the nonce."""

    nonce: str
    expires_at: datetime


class TrialView(View):
    """The diagnosis of a webhook."""

    ok: bool
    reason: str | None = None
    message: str = ""
    status: int | None = None
    redirect: str | None = None
    duration_ms: int | None = None
    addresses: Sequence[str] = ()
    webhook_id: str | None = None


class AuditView(View):
    """A fact of the audit about an API key."""

    id: str
    time: datetime
    type: str
    owner: str = ""
    key_id: str = ""
    action: str = ""
    scopes: Sequence[str] = ()
    items: Sequence[Mapping[str, Any]] = ()
