"""Reads the deliveries topic into the queue: which final hooks are settled or requested again in the log.

Normally the queue knows the outcomes already, and only requests for redelivery are new to it. After a loss or a
restore of the tables the outcomes matter too: a delivered hook must not be sent again, and no progress may follow an
attempt at the final one. So the dispatcher waits (services.notifier.readers.gate).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
import structlog

from piperoll.domain.final_hook import FinalHook, evolve
from piperoll.log.parking import Parking, decode
from piperoll.log.record import Record
from schemas.envelope import Fact
from schemas.events import WebhookAbandoned, WebhookDelivered, WebhookFailed, WebhookRedeliveryRequested
from services.notifier.checkpoints import TopicCheckpoints
from services.notifier.delivery.due_receivers import ReceiverKey
from services.notifier.delivery.wakeup import Wakeup
from services.notifier.hooks.queue import SQL
from services.notifier.notices.queue import settle_from_log
from services.notifier.outbox import Connection
from services.notifier.readers.topic_reader import NotifierTopicReader, ReaderContext

log = structlog.get_logger()


@dataclass(slots=True)
class _Poll:
    """One partition's poll: facts of final hooks by job; by job and endpoint the owner and the last settled change.

    `failed` are the last failed attempt at each job's final hook, and the owner.
    """

    finals: defaultdict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    settled: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    failed: dict[str, tuple[str, int]] = field(default_factory=dict)


class DeliveriesReader(NotifierTopicReader[None]):
    """The Reader (piperoll.log.contract) of the deliveries."""

    group = "piperoll.notifier.deliveries"

    def __init__(self, context: ReaderContext, checkpoints: TopicCheckpoints, wakeup: Wakeup) -> None:
        super().__init__(context, checkpoints)
        self._wakeup = wakeup

    async def _read(self, records: Sequence[Record]) -> None:
        """Nothing to read."""

    async def _write(
        self, connection: Connection, partition: int, records: Sequence[Record], parking: Parking, found: None
    ) -> Callable[[], None]:
        poll = _Poll()
        for record in records:
            if (fact := parking.admit(decode(record))) is not None:
                _note(poll, fact)
        await settle_from_log(connection, poll.settled)
        reopened = await _fold_finals(connection, partition, poll.finals)
        await _note_attempts(connection, partition, poll.failed)
        return lambda: self._wakeup.hint(reopened)


def _note(poll: _Poll, fact: Fact) -> None:
    """Note a fact of a final hook, or the last settled change of an endpoint."""
    match fact.data:
        case (
            WebhookDelivered(endpoint_id=str(endpoint_id), change=int(change))
            | WebhookAbandoned(endpoint_id=str(endpoint_id), change=int(change))
        ):
            _, before = poll.settled.get((fact.subject, endpoint_id), ("", 0))
            poll.settled[fact.subject, endpoint_id] = (fact.owner, max(before, change))
        case WebhookDelivered(phase="processing") | WebhookAbandoned(phase="processing"):
            return  # progress is never sent again, whatever its outcome
        case WebhookFailed(endpoint_id=None, request=None, phase="completed" | "error", attempt=attempt):
            poll.failed[fact.subject] = (fact.owner, attempt)
        case WebhookFailed():
            return  # another attempt follows
        case _:
            poll.finals[fact.subject].append(fact)


async def _fold_finals(connection: Connection, partition: int, finals: Mapping[str, list[Fact]]) -> set[ReceiverKey]:
    """Write new states of hooks after these facts; return the receivers to send to again.

    Rows that already have the state, which is the normal case, are not locked. A row that the dispatcher settles
    meanwhile has the same state as the log then.
    """
    news = _changed(await _standings(connection, "standings", finals), finals)
    news = _changed(await _standings(connection, "lock_standings", news), {job_id: finals[job_id] for job_id in news})
    settled = {job_id: hook for job_id, hook in news.items() if hook.state != "open"}
    reopened = {job_id: hook for job_id, hook in news.items() if hook.state == "open"}
    owners = {job_id: facts[0].owner for job_id, facts in finals.items()}
    if settled:
        await connection.execute(
            SQL["settle_from_log"],
            partition,
            list(settled),
            [owners[job_id] for job_id in settled],
            [hook.state for hook in settled.values()],
            [hook.request for hook in settled.values()],
        )
    if not reopened:
        return set()
    rows = await connection.fetch(
        SQL["reopen"],
        partition,
        list(reopened),
        [owners[job_id] for job_id in reopened],
        [hook.request for hook in reopened.values()],
        [_requested_phase(finals[job_id], hook) for job_id, hook in reopened.items()],
    )
    log.info("redelivery_requested", jobs=len(rows))
    return {ReceiverKey(row["owner"], row["origin"]) for row in rows if row["origin"] is not None}


async def _note_attempts(connection: Connection, partition: int, failed: Mapping[str, tuple[str, int]]) -> None:
    """Write the attempts that the queue does not know. The schedule of a requested redelivery begins again instead."""
    if not failed:
        return
    rows = await connection.fetch(SQL["attempts_of"], list(failed))
    known = {row["job_id"]: row["attempts"] for row in rows}
    news = {job_id: found for job_id, found in failed.items() if known.get(job_id, 0) < found[1]}
    if news:
        owners, attempts = zip(*news.values(), strict=True)
        await connection.execute(SQL["note_attempts"], partition, list(news), list(owners), list(attempts))


async def _standings(connection: Connection, statement: str, job_ids: Collection[str]) -> dict[str, FinalHook]:
    rows = await connection.fetch(SQL[statement], list(job_ids)) if job_ids else []
    return {row["job_id"]: _hook(row) for row in rows}


def _hook(row: asyncpg.Record) -> FinalHook:
    """The state of a row's hook. A late hook is open in the log: the fact that it is held has not been read."""
    return FinalHook("open" if row["state"] == "late" else row["state"], row["request"])


def _changed(before: Mapping[str, FinalHook], finals: Mapping[str, list[Fact]]) -> dict[str, FinalHook]:
    """The hooks that these facts change, in log order; also of jobs without a row."""
    after = {}
    for job_id, facts in finals.items():
        hook = begin = before.get(job_id, FinalHook())
        for fact in facts:
            hook = evolve(hook, fact.data)
        if hook != begin:
            after[job_id] = hook
    return after


def _requested_phase(facts: Sequence[Fact], hook: FinalHook) -> str:
    """The phase in the request, for a job that is known by its deliveries only."""
    return next(
        fact.data.phase
        for fact in facts
        if isinstance(fact.data, WebhookRedeliveryRequested) and fact.data.request == hook.request
    )
