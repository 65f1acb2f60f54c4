"""Requests to send final hooks again (docs/contract/additions.md#redelivery).

The notifier reads the requests and sends the hooks. Only a settled hook can be requested, so that it is not sent in
addition to attempts that are due anyway.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg
from pydantic_core import from_json

from piperoll.clock import Clock
from piperoll.domain import final_hook
from piperoll.domain.final_hook import FinalHook
from piperoll.domain.job import Status
from piperoll.log.record import Position
from piperoll.postgres import load_queries
from piperoll.webhooks.origins import digest_of
from schemas.events import EVENTS, WebhookRedeliveryRequested
from schemas.ids import delivery_id, draw_run
from schemas.topics import JOB_DELIVERIES
from services.api.http.answers import timestamp
from services.api.http.caller import Caller
from services.api.http.database import bounded_query
from services.api.http.errors import conflict, not_found
from services.api.log.facts import FactLog
from services.api.read_model.catching_up import CatchingUp
from services.api.read_model.job_rows import JobRow, NotedFact
from services.api.read_model.jobs import ReadModel

AT_ONCE = 1000  # requests per call: about a second, and a mistake does not flood a receiver
TOGETHER = 200  # concurrent appends: they share the producer's batches
RETENTION = timedelta(milliseconds=JOB_DELIVERIES.retention_ms)
_QUERIES = load_queries("services.api.redelivery", "redelivery.sql")


@dataclass(frozen=True, slots=True)
class RequestedDelivery:
    """An appended request. `passed`: the read model shows it."""

    delivery_id: str
    request: str
    position: Position
    passed: bool


@dataclass(frozen=True, slots=True)
class RequestedDeliveries:
    """The number of requested hooks (on a dry run: of all that would be), and the number of those left."""

    count: int
    left: int
    position: Position | None = None
    passed: bool = True


@dataclass(frozen=True, slots=True)
class Redelivery:
    """The final hooks of one owner's jobs. `catching_up` waits for the deliveries."""

    facts: FactLog
    read_model: ReadModel
    pool: asyncpg.Pool
    catching_up: CatchingUp
    clock: Clock
    read_deadline_s: float

    async def of_job(self, row: JobRow, requested_id: str | None, caller: Caller) -> RequestedDelivery:
        """Request a job's final hook. `requested_id` is the delivery that the client names, if any.

        Raises ApiError: CONFLICT (409) if it cannot be sent again, or not yet; NOT_FOUND (404) for a delivery of
        another job; OUTCOME_UNKNOWN and READ_MODEL_UNAVAILABLE (503).
        """
        check_webhook(row)
        await self.catching_up.briefly()
        found = await self.read_model.deliveries(row.job_id)
        facts = [NotedFact.of(type_name, time, from_json(data)) for type_name, time, data in found]
        check_named(row.job_id, requested_id, facts)
        check_settled(facts, row.job.ended_at if row.job else None, self.clock())
        phase: Literal["completed", "error"] = "completed" if row.status is Status.COMPLETED else "error"
        event, position = await self._request(row.job_id, phase, caller)
        return RequestedDelivery(event.delivery_id, event.request, position, await self.catching_up.passed(position))

    async def at_origin(self, origin: str, since: datetime, dry_run: bool, caller: Caller) -> RequestedDeliveries:
        """Request the caller's final hooks that were held or given up at a receiver since a time, the oldest first.

        At most AT_ONCE; the next call continues with the rest. Raises OUTCOME_UNKNOWN (503), after which a repeat
        requests none of them twice, and READ_MODEL_UNAVAILABLE (503).
        """
        await self.catching_up.briefly()
        async with bounded_query("unsent", self.read_deadline_s):
            limit = 1 if dry_run else AT_ONCE
            rows = await self.pool.fetch(_QUERIES["unsent"], caller.owner, digest_of(origin), since, limit)
        total = rows[0]["total"] if rows else 0
        if dry_run or not rows:
            return RequestedDeliveries(total, total)
        positions: list[Position] = []
        for begin in range(0, len(rows), TOGETHER):
            some = rows[begin : begin + TOGETHER]
            requests = await asyncio.gather(*(self._request(row["job_id"], row["phase"], caller) for row in some))
            positions += [position for _, position in requests]
        passed = await self.catching_up.passed(*positions)
        return RequestedDeliveries(len(rows), total - len(rows), positions[-1], passed)

    async def _request(
        self, job_id: str, phase: Literal["completed", "error"], caller: Caller
    ) -> tuple[WebhookRedeliveryRequested, Position]:
        event = WebhookRedeliveryRequested(
            request=draw_run(), delivery_id=delivery_id(job_id, "final"), phase=phase, by=caller.owner
        )
        remedy = "look at the job's deliveries before you repeat the request"
        appended = await self.facts.append(job_id, event.request, event, caller, remedy, "job_id")
        return event, appended.position


def check_webhook(row: JobRow) -> None:
    """Raise ApiError CONFLICT (409) unless the job has ended and has a webhook, and so a final hook."""
    if not row.status.terminal:
        status = row.status.value
        raise conflict(f"the job has not ended: it is {status}; its webhook is sent when it ends", status=status)
    if row.job is None or not row.job.has_webhook:
        raise conflict("the job has no webhook")


def check_named(job_id: str, requested_id: str | None, facts: Sequence[NotedFact]) -> None:
    """Raise ApiError: CONFLICT (409) for a hook that is not the final one, NOT_FOUND (404) for an unknown one."""
    if requested_id is None or requested_id == delivery_id(job_id, "final"):
        return
    if any(fact.data.get("delivery_id") == requested_id for fact in facts):
        raise conflict("only the final webhook of a job can be sent again", delivery_id=requested_id)
    raise not_found("delivery", delivery_id=requested_id)


def check_settled(facts: Sequence[NotedFact], ended_at: datetime | None, now: datetime) -> None:
    """Raise ApiError CONFLICT (409) while attempts follow anyway, and after the outcome was deleted."""
    hook, next_attempt, requested_at = _state_of(facts)
    if hook.state != "open":
        return
    if requested_at is not None:
        message = "a redelivery is already pending: it follows its own schedule"
        raise conflict(message, requested_at=timestamp(requested_at), **next_attempt)
    if ended_at is not None and ended_at < now - RETENTION:
        raise conflict(f"the outcome of this webhook is no longer known: it is stored for {RETENTION.days} days")
    raise conflict("the webhook has no outcome yet: it is still on its own schedule", **next_attempt)


def _state_of(facts: Sequence[NotedFact]) -> tuple[FinalHook, dict[str, Any], datetime | None]:
    """Return the hook's state, and the times of its next attempt and of its request, if they are known."""
    hook, next_attempt, requested_at = FinalHook(), dict[str, Any](), None
    for fact in facts:
        after = final_hook.evolve(hook, EVENTS[fact.name].model_validate(fact.data))
        if after is not hook:
            next_attempt, requested_at = {}, fact.time if after.state == "open" else None
        elif fact.name == "WebhookFailed" and fact.data.get("endpoint_id") is None and "next_attempt_at" in fact.data:
            next_attempt = {"next_attempt_at": fact.data["next_attempt_at"]}
        hook = after
    return hook, next_attempt, requested_at
