"""Registers, lists, tests and removes endpoints (docs/contract/devana.md#endpoints)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

import asyncpg

from piperoll.domain.endpoint import CODEC
from piperoll.postgres import load_queries
from piperoll.seal import Seal, SealError
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from piperoll.webhooks.signatures import draw_secret
from schemas.devana import STATUS_NAMES
from schemas.documents import EndpointSettings
from schemas.events import EndpointRegistered, EndpointRemoved, EndpointTested, Event
from schemas.ids import draw_endpoint_id, draw_run, is_id, keyed_id, trial_id
from services.api.endpoints.requests import EndpointBody
from services.api.http.answers import devana_timestamp
from services.api.http.caller import Caller
from services.api.http.database import Source, bounded_query
from services.api.http.errors import conflict, idempotency_conflict, not_found
from services.api.http.rate_limit import RateLimit
from services.api.log.facts import Appended, FactLog
from services.api.read_model.catching_up import CatchingUp

Json = dict[str, Any]

MAX_ENDPOINTS = 20  # each gets a webhook for every job; for more, subscribe to the topics
REGISTRATIONS = 100  # of an owner in REGISTRATIONS_S: for each, the notifier reads the log of up to a day
REGISTRATIONS_S = 3600.0
_QUERIES = load_queries("services.api.endpoints", "endpoints.sql")


@dataclass(frozen=True, slots=True)
class EndpointCommands:
    """The endpoints of one owner. Foreign and removed ones are not found."""

    facts: FactLog
    blobs: AsyncBlobs
    seal: Seal
    pool: asyncpg.Pool
    catching_up: CatchingUp
    registrations: RateLimit
    read_deadline_s: float
    _registering: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    """By owner, while registrations wait; of this process: n processes may register n - 1 more than the maximum."""

    async def register(self, wanted: EndpointBody, caller: Caller, user_id: str | None, key: str | None) -> Json:
        """Register an endpoint and return it with its secret; a repeat of an Idempotency-Key gets the first answer.

        Raises ApiError: CONFLICT (409) beyond MAX_ENDPOINTS or for a key whose endpoint was removed,
        IDEMPOTENCY_CONFLICT (422), RATE_LIMITED (429) beyond REGISTRATIONS, and OUTCOME_UNKNOWN, READ_MODEL_UNAVAILABLE
        and STORAGE_ERROR (503).
        """
        endpoint_id = draw_endpoint_id() if key is None else keyed_id("endpoint", caller.owner, key)
        if key is not None and (first := await self._registered(endpoint_id, wanted)) is not None:
            return first
        async with self._registering.setdefault(caller.owner, asyncio.Lock()):
            return await self._register(endpoint_id, wanted, caller, user_id, key)

    async def _register(
        self, endpoint_id: str, wanted: EndpointBody, caller: Caller, user_id: str | None, key: str | None
    ) -> Json:
        """Register one endpoint of an owner at a time, so that the next one is counted with this one."""
        await self._check_count(caller.owner)
        if not (quota := await self.registrations.count(f"endpoints/{caller.owner}")).admitted:
            raise quota.refusal()
        secret = draw_secret()
        token = None if wanted.token is None else self.seal.seal(wanted.token)
        settings = EndpointSettings(url=wanted.url, token=token, secret=self.seal.seal(secret))
        content = settings.model_dump_json(exclude_none=True).encode()
        claim = await self.blobs.put(f"endpoints/{endpoint_id}", content)
        event = EndpointRegistered(settings=claim, statuses=wanted.wanted_statuses, user_id=user_id)
        fact, position = await self._append(endpoint_id, endpoint_id, event, caller)
        passed = await self.catching_up.passed(position)
        if key is not None and passed and (first := await self._registered(endpoint_id, wanted)) is not None:
            return first  # of two concurrent appends the first one in the log counts
        return {**_view(endpoint_id, wanted.url, wanted.wanted_statuses, fact.time), "secret": secret}

    async def _registered(self, endpoint_id: str, wanted: EndpointBody) -> Json | None:
        """Return the answer to an earlier registration under a key; None if there was none."""
        rows = await self._fetch("registration", endpoint_id)
        if not rows:
            return None
        claim = CODEC.validate_json(rows[0]["state"]).settings
        try:
            content = await self.blobs.get(claim.uri) if claim is not None else None
        except BlobMissingError:
            content = None
        if content is None:
            raise conflict("the endpoint of this Idempotency-Key was removed: use a new key for a new endpoint")
        settings, statuses = EndpointSettings.model_validate_json(content), tuple(rows[0]["statuses"])
        try:
            token = None if settings.token is None else self.seal.open(settings.token)
            secret = self.seal.open(settings.secret)
        except SealError as error:
            raise conflict(f"the endpoint's secret cannot be shown again: {error}; register a new endpoint") from error
        if (settings.url, token, statuses) != (wanted.url, wanted.token, wanted.wanted_statuses):
            raise idempotency_conflict()
        view = _view(endpoint_id, settings.url, statuses, rows[0]["created_at"])
        return {**view, "secret": secret}

    async def _check_count(self, owner: str) -> None:
        await self.catching_up.briefly()
        (row,) = await self._fetch("count_endpoints", owner)
        if row["endpoints"] >= MAX_ENDPOINTS:
            message = f"you already have {MAX_ENDPOINTS} endpoints, the maximum: delete one first"
            raise conflict(message, limit=MAX_ENDPOINTS)

    async def of_owner(self, owner: str) -> list[Json]:
        """Return the owner's endpoints, newest first, without their secrets."""
        await self.catching_up.briefly()
        return [_view(**row) for row in await self._fetch("list_endpoints", owner)]

    async def remove(self, endpoint_id: str, caller: Caller) -> bool:
        """Remove an endpoint; return False if that was not read back in time. Raises ApiError NOT_FOUND (404)."""
        await self._require(endpoint_id, caller.owner)
        appended = await self._append(endpoint_id, endpoint_id, EndpointRemoved(by=caller.owner), caller)
        return await self.catching_up.passed(appended.position)

    async def test(self, endpoint_id: str, caller: Caller) -> str:
        """Request a test delivery and return its `jobId`. Raises ApiError NOT_FOUND (404)."""
        await self._require(endpoint_id, caller.owner)
        return trial_id((await self._append(endpoint_id, draw_run(), EndpointTested(by=caller.owner), caller)).fact.id)

    async def _require(self, endpoint_id: str, owner: str) -> None:
        if not is_id("endpoint", endpoint_id):
            raise not_found("webhook")

        async def look_up(source: Source | None) -> str | None:
            rows = await self._fetch("endpoint", endpoint_id, source=source)
            return str(rows[0]["owner"]) if rows else None

        if await self.catching_up.find(look_up, lambda found: found == owner) is None:
            raise not_found("webhook")

    async def _fetch(self, name: str, *arguments: Any, source: Source | None = None) -> list[asyncpg.Record]:
        async with bounded_query(name, self.read_deadline_s):
            return await (source or self.pool).fetch(_QUERIES[name], *arguments)

    async def _append(self, endpoint_id: str, scope: str, event: Event, caller: Caller) -> Appended:
        remedy = "list the endpoints before you repeat the request"
        return await self.facts.append(endpoint_id, scope, event, caller, remedy)


def _view(endpoint_id: str, url: str | None, statuses: Sequence[str], created_at: datetime) -> Json:
    return {
        "id": endpoint_id,
        "url": url,
        "statuses": list(statuses or STATUS_NAMES),
        "createdAt": devana_timestamp(created_at),
    }
