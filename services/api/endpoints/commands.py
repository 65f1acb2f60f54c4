"""Registered endpoints: the facts that requests lead to, and the list (contract 15d)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from piperoll.domain.endpoint import CODEC
from piperoll.log.record import Position
from piperoll.postgres import load_queries
from piperoll.seal import Seal
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from piperoll.webhooks.signatures import draw_secret
from schemas.documents import EndpointSettings
from schemas.envelope import Fact
from schemas.errors import ErrorCode
from schemas.events import EndpointRegistered, EndpointRemoved, EndpointTested, Event
from schemas.ids import draw_endpoint_id, draw_run, keyed_id, trial_id
from services.api.endpoints.requests import STATUS_NAMES, EndpointRequest
from services.api.http.answers import devana_timestamp
from services.api.http.caller import Caller
from services.api.http.database import asking
from services.api.http.errors import ApiError, idempotency_conflict, not_found
from services.api.log.facts import FactLog
from services.api.read_model.catching_up import LIST_WAIT_S, CatchingUp

Json = dict[str, Any]

MAX_ENDPOINTS = 20  # each gets a webhook for every job; for more, subscribe to the topics
_QUERIES = load_queries("services.api.endpoints", "endpoints.sql")


class EndpointCommands:
    """The endpoints of one owner at a time. Foreign and removed ones are not there."""

    def __init__(
        self,
        facts: FactLog,
        blobs: AsyncBlobs,
        seal: Seal,
        pool: asyncpg.Pool,
        catching_up: CatchingUp,
        read_deadline_s: float,
    ) -> None:
        self._facts = facts
        self._blobs = blobs
        self._seal = seal
        self._pool = pool
        self._catching_up = catching_up
        self._read_deadline_s = read_deadline_s

    async def register(self, wanted: EndpointRequest, caller: Caller, user_id: str | None, key: str | None) -> Json:
        """The endpoint as it was registered, with its secret; a repeat of an Idempotency-Key gets the first answer.

        Raises ApiError: CONFLICT (409) for one too many or a key whose endpoint was removed, IDEMPOTENCY_CONFLICT
        (422), OUTCOME_UNKNOWN, READ_MODEL_UNAVAILABLE and STORAGE_ERROR (503).
        """
        endpoint_id = draw_endpoint_id() if key is None else keyed_id("endpoint", caller.owner, key)
        if key is not None and (first := await self._registered(endpoint_id, wanted)) is not None:
            return first
        await self._check_room(caller.owner)
        secret = draw_secret()
        settings = EndpointSettings(
            url=wanted.url,
            token=None if wanted.token is None else self._seal.seal(wanted.token),
            secret=self._seal.seal(secret),
        )
        content = settings.model_dump_json(exclude_none=True).encode()
        claim = await self._blobs.put(f"endpoints/{endpoint_id}", content)
        event = EndpointRegistered(settings=claim, statuses=wanted.statuses, user_id=user_id)
        fact, position = await self._append(endpoint_id, endpoint_id, event, caller)
        passed = await self._catching_up.passed(position)
        if key is not None and passed and (first := await self._registered(endpoint_id, wanted)) is not None:
            return first  # two at a time may both append, and the log's first one counts
        return {**_shown(endpoint_id, wanted.url, wanted.statuses, fact.time), "secret": secret}

    async def _registered(self, endpoint_id: str, wanted: EndpointRequest) -> Json | None:
        """What a registration under a key answered, None before there was one."""
        rows = await self._fetch("registration", endpoint_id)
        if not rows:
            return None
        claim = CODEC.validate_json(rows[0]["state"]).settings
        try:
            content = await self._blobs.get(claim.uri) if claim is not None else None
        except BlobMissingError:
            content = None
        if content is None:
            said = "the endpoint that this Idempotency-Key registered was removed: use a new key for a new one"
            raise ApiError(409, ErrorCode.CONFLICT, said)
        settings, statuses = EndpointSettings.model_validate_json(content), tuple(rows[0]["statuses"])
        token = None if settings.token is None else self._seal.open(settings.token)
        if EndpointRequest(settings.url, token, statuses) != wanted:
            raise idempotency_conflict()
        shown = _shown(endpoint_id, settings.url, statuses, rows[0]["created_at"])
        return {**shown, "secret": self._seal.open(settings.secret)}

    async def _check_room(self, owner: str) -> None:
        await self._catching_up.within(LIST_WAIT_S)
        (row,) = await self._fetch("count_endpoints", owner)
        if row["endpoints"] >= MAX_ENDPOINTS:
            said = f"there are {MAX_ENDPOINTS} endpoints already, the most that there may be: delete one first"
            raise ApiError(409, ErrorCode.CONFLICT, said, {"limit": MAX_ENDPOINTS})

    async def of_owner(self, owner: str) -> list[Json]:
        """The owner's endpoints, newest first, without their secrets."""
        await self._catching_up.within(LIST_WAIT_S)
        return [
            _shown(row["endpoint_id"], row["url"], row["statuses"], row["created_at"])
            for row in await self._fetch("list_endpoints", owner)
        ]

    async def remove(self, endpoint_id: str, caller: Caller) -> bool:
        """Ends an endpoint; False when that was not read back in time. Raises ApiError NOT_FOUND (404)."""
        await self._require(endpoint_id, caller.owner)
        _, position = await self._append(endpoint_id, endpoint_id, EndpointRemoved(by=caller.owner), caller)
        return await self._catching_up.passed(position)

    async def test(self, endpoint_id: str, caller: Caller) -> str:
        """Asks for a trial delivery; answers the `jobId` that it will bear. Raises ApiError NOT_FOUND (404)."""
        await self._require(endpoint_id, caller.owner)
        fact, _ = await self._append(endpoint_id, draw_run(), EndpointTested(by=caller.owner), caller)
        return trial_id(fact.id)

    async def _require(self, endpoint_id: str, owner: str) -> None:
        async def look() -> str | None:
            rows = await self._fetch("endpoint", endpoint_id)
            return str(rows[0]["owner"]) if rows else None

        if await self._catching_up.sought(look) != owner:
            raise not_found("webhook")

    async def _fetch(self, name: str, *arguments: Any) -> list[asyncpg.Record]:
        async with asking(name, self._read_deadline_s):
            return await self._pool.fetch(_QUERIES[name], *arguments)

    async def _append(self, endpoint_id: str, scope: str, event: Event, caller: Caller) -> tuple[Fact, Position]:
        return await self._facts.append(
            endpoint_id, scope, event, caller, "list the endpoints before you repeat the request"
        )


def _shown(endpoint_id: str, url: str | None, statuses: Sequence[str], created_at: datetime) -> Json:
    return {
        "id": endpoint_id,
        "url": url,
        "statuses": list(statuses or STATUS_NAMES),
        "createdAt": devana_timestamp(created_at),
    }
