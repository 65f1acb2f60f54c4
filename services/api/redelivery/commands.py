"""Sending final hooks again: which may be requested, and the facts that request it (contract 2e).

Nothing is sent from here: the notifier reads the requests. Only a settled hook can be requested, so that it is not
sent beside attempts that are due anyway.
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
from schemas.errors import ErrorCode
from schemas.events import EVENTS, WebhookRedeliveryRequested
from schemas.ids import delivery_id, draw_run
from schemas.topics import JOB_DELIVERIES
from services.api.http.answers import timestamp
from services.api.http.caller import Caller
from services.api.http.database import asking
from services.api.http.errors import ApiError, not_found
from services.api.log.facts import FactLog
from services.api.read_model.catching_up import LIST_WAIT_S, CatchingUp
from services.api.read_model.job_rows import JobRow, Noted
from services.api.read_model.jobs import ReadModel

AT_ONCE = 1000  # requests that one call appends: a second's work, and no receiver is buried by a slip
TOGETHER = 200  # appends under way together: they share the producer's batches
REMEMBERED = timedelta(milliseconds=JOB_DELIVERIES.retention_ms)
_QUERIES = load_queries("services.api.redelivery", "redelivery.sql")


@dataclass(frozen=True, slots=True)
class RequestedDelivery:
    """A request that was appended. `passed`: the read model shows it."""

    delivery_id: str
    request: str
    position: Position
    passed: bool


@dataclass(frozen=True, slots=True)
class RequestedDeliveries:
    """Of many hooks: how many were asked for (on a dry run: would be, in all), and how many are left then."""

    count: int
    left: int
    position: Position | None = None
    passed: bool = True


class Redelivery:
    """The final hooks of one owner's jobs. `catching_up` waits for the deliveries."""

    def __init__(
        self,
        facts: FactLog,
        read_model: ReadModel,
        pool: asyncpg.Pool,
        catching_up: CatchingUp,
        clock: Clock,
        read_deadline_s: float,
    ) -> None:
        self._facts = facts
        self._read_model = read_model
        self._pool = pool
        self._catching_up = catching_up
        self._clock = clock
        self._read_deadline_s = read_deadline_s

    async def of_job(self, row: JobRow, named: str | None, caller: Caller) -> RequestedDelivery:
        """Asks for a job's final hook. `named` is the delivery that the client names, if any.

        Raises ApiError: CONFLICT (409) where there is nothing to send again yet, or never will be; NOT_FOUND (404)
        for a delivery that the job does not have; OUTCOME_UNKNOWN and READ_MODEL_UNAVAILABLE (503).
        """
        check_webhook(row)
        await self._catching_up.within(LIST_WAIT_S)
        found = await self._read_model.deliveries(row.job_id)
        facts = [Noted.of(type_name, time, from_json(data)) for type_name, time, data in found]
        check_named(row.job_id, named, facts)
        check_settled(facts, row.job.ended_at if row.job else None, self._clock())
        phase: Literal["completed", "error"] = "completed" if row.status is Status.COMPLETED else "error"
        event, position = await self._ask(row.job_id, phase, caller)
        return RequestedDelivery(event.delivery_id, event.request, position, await self._catching_up.passed(position))

    async def at_origin(self, origin: str, since: datetime, dry_run: bool, caller: Caller) -> RequestedDeliveries:
        """Asks for the caller's final hooks that were held or given up at a receiver since then: the oldest first.

        At most AT_ONCE; the next call goes on with what is left. Raises OUTCOME_UNKNOWN (503), after which a repeat
        asks for none of them twice, and READ_MODEL_UNAVAILABLE (503).
        """
        await self._catching_up.within(LIST_WAIT_S)
        async with asking("unsent", self._read_deadline_s):
            limit = 1 if dry_run else AT_ONCE
            rows = await self._pool.fetch(_QUERIES["unsent"], caller.owner, digest_of(origin), since, limit)
        total = rows[0]["total"] if rows else 0
        if dry_run or not rows:
            return RequestedDeliveries(total, total)
        positions: list[Position] = []
        for begin in range(0, len(rows), TOGETHER):
            some = rows[begin : begin + TOGETHER]
            asked = await asyncio.gather(*(self._ask(row["job_id"], row["phase"], caller) for row in some))
            positions += [position for _, position in asked]
        passed = await self._catching_up.passed(*positions)
        return RequestedDeliveries(len(rows), total - len(rows), positions[-1], passed)

    async def _ask(
        self, job_id: str, phase: Literal["completed", "error"], caller: Caller
    ) -> tuple[WebhookRedeliveryRequested, Position]:
        event = WebhookRedeliveryRequested(
            request=draw_run(), delivery_id=delivery_id(job_id, "final"), phase=phase, by=caller.owner
        )
        remedy = "look at the job's deliveries before you repeat the request"
        _, position = await self._facts.append(job_id, event.request, event, caller, remedy, "job_id")
        return event, position


def check_webhook(row: JobRow) -> None:
    """Only a job that has ended and has a webhook has a final hook. Raises ApiError CONFLICT (409)."""
    if not row.status.terminal:
        message = f"the job has not ended: it is {row.status.value}; its webhook is sent when it has"
        raise _conflict(message, status=row.status.value)
    if row.job is None or not row.job.has_webhook:
        raise _conflict("the job has no webhook")


def check_named(job_id: str, named: str | None, facts: Sequence[Noted]) -> None:
    """Raises ApiError: CONFLICT (409) for any other hook than the final one, NOT_FOUND (404) for an unknown one."""
    if named is None or named == delivery_id(job_id, "final"):
        return
    if any(fact.data.get("delivery_id") == named for fact in facts):
        raise _conflict("only the final webhook of a job can be sent again", delivery_id=named)
    raise not_found("delivery", delivery_id=named)


def check_settled(facts: Sequence[Noted], ended_at: datetime | None, now: datetime) -> None:
    """Raises ApiError CONFLICT (409) while attempts follow anyway, and where nothing is known of the hook any more."""
    hook, again, asked_at = _standing(facts)
    if hook.state != "open":
        return
    if asked_at is not None:
        raise _conflict(
            "a redelivery is already pending: it is tried on its own schedule",
            requested_at=timestamp(asked_at),
            **again,
        )
    if ended_at is not None and ended_at < now - REMEMBERED:
        days = REMEMBERED.days
        raise _conflict(f"the outcome of this webhook is not known any more: it is kept for {days} days")
    raise _conflict("the webhook has no outcome yet: it is still on its own schedule", **again)


def _standing(facts: Sequence[Noted]) -> tuple[FinalHook, dict[str, Any], datetime | None]:
    """How the hook stands, the time of its next attempt and of its request, where they are known."""
    hook, again, asked_at = FinalHook(), dict[str, Any](), None
    for fact in facts:
        after = final_hook.evolve(hook, EVENTS[fact.name].model_validate(fact.data))
        if after is not hook:
            again, asked_at = {}, fact.time if after.state == "open" else None
        elif fact.name == "WebhookFailed" and fact.data.get("endpoint_id") is None:
            again = {"next_attempt_at": fact.data["next_attempt_at"]} if "next_attempt_at" in fact.data else again
        hook = after
    return hook, again, asked_at


def _conflict(message: str, **details: Any) -> ApiError:
    return ApiError(409, ErrorCode.CONFLICT, message, details)
