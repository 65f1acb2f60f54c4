"""Reads the deliveries topic into the queue: which final hooks are settled or asked for again, as the log has it.

In ordinary days outcomes tell the queue what it knows, and requests for redelivery what it does not. When the schema
was lost, outcomes matter too: then what was delivered already must not be sent again, and the dispatcher waits for
this (see Gate).
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
import structlog

from piperoll.domain.final_hook import FinalHook, evolve
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.record import Record
from schemas.envelope import Fact, UndecodableRecordError
from schemas.events import WebhookAbandoned, WebhookDelivered, WebhookFailed, WebhookRedeliveryRequested
from schemas.topics import JOB_DELIVERIES
from services.notifier.checkpoints import Checkpoints, LogView
from services.notifier.delivery.wakeup import Bell
from services.notifier.hooks.queue import SQL, Connection
from services.notifier.notices.queue import settle_from_log
from services.notifier.outages import until_done

log = structlog.get_logger()

GROUP = "piperoll.notifier.deliveries"
FAILED = WebhookFailed.type_name().encode()
GATE_POLL_S = 0.2


@dataclass(slots=True)
class _Poll:
    """What one partition's poll says: the facts of final hooks by job, and by job and endpoint what it was told."""

    finals: defaultdict[str, list[Fact]] = field(default_factory=lambda: defaultdict(list))
    told: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)


class Settled:
    """The Reader (piperoll.log.contract) of the deliveries."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        checkpoints: Checkpoints,
        dead_letters: DeadLetters,
        bell: Bell,
        stopping: asyncio.Event,
    ) -> None:
        self._pool = pool
        self._checkpoints = checkpoints
        self._dead_letters = dead_letters
        self._bell = bell
        self._stopping = stopping

    async def assigned(self, partitions: set[int]) -> Mapping[int, int]:
        """Goes on where the checkpoints stand; at the first record kept where there is none."""
        return await self._checkpoints.take(partitions)

    async def revoked(self, partitions: set[int]) -> None:
        """Nothing is kept but the checkpoints."""

    async def handle(self, partition: int, records: Sequence[Record]) -> None:
        """Takes in one partition's poll; waits for Postgres as long as it is away."""
        await until_done("deliveries", lambda: self._take_in(partition, records), self._stopping)

    async def _take_in(self, partition: int, records: Sequence[Record]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            start = await self._checkpoints.lock(connection, partition)
            fresh = [record for record in records if record.offset >= start]
            if not fresh:
                return
            poll = _Poll()
            for record in fresh:
                await self._note(poll, record)
            await settle_from_log(connection, poll.told)
            reopened = await _fold_finals(connection, partition, poll.finals)
            await self._checkpoints.advance(connection, fresh[-1])
        self._bell.ring(reopened)

    async def _note(self, poll: _Poll, record: Record) -> None:
        """Notes a fact of a final hook, or the last change that an endpoint was told."""
        if dict(record.headers).get("ce_type") == FAILED:
            return  # another attempt follows
        try:
            fact = record.fact()
        except UndecodableRecordError as error:
            await self._dead_letters.park(GROUP, record, str(error))
            return
        match fact.data:
            case (
                WebhookDelivered(endpoint_id=str(endpoint_id), change=int(change))
                | WebhookAbandoned(endpoint_id=str(endpoint_id), change=int(change))
            ):
                _, before = poll.told.get((fact.subject, endpoint_id), ("", 0))
                poll.told[fact.subject, endpoint_id] = (fact.owner, max(before, change))
            case WebhookDelivered(phase="processing") | WebhookAbandoned(phase="processing"):
                return  # progress is not told again, whatever became of it
            case _:
                poll.finals[fact.subject].append(fact)


async def _fold_finals(connection: Connection, partition: int, finals: Mapping[str, list[Fact]]) -> set[str]:
    """Writes how the hooks stand after these facts, where that is new; answers whom to send to again.

    What the rows know already, as nearly always, locks none of them. A row that the dispatcher settles meanwhile only
    comes to where the log is.
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
    return {row["origin"] for row in rows if row["origin"] is not None}


async def _standings(connection: Connection, statement: str, job_ids: Collection[str]) -> dict[str, FinalHook]:
    rows = await connection.fetch(SQL[statement], list(job_ids)) if job_ids else []
    return {row["job_id"]: _hook(row) for row in rows}


def _hook(row: asyncpg.Record) -> FinalHook:
    """A late hook is open as far as the log knows: that it is held is still to be said."""
    return FinalHook("open" if row["state"] == "late" else row["state"], row["request"])


def _changed(before: Mapping[str, FinalHook], finals: Mapping[str, list[Fact]]) -> dict[str, FinalHook]:
    """The hooks that these facts change, in log order; of jobs that have no row yet too."""
    after = {}
    for job_id, facts in finals.items():
        hook = begin = before.get(job_id, FinalHook())
        for fact in facts:
            hook = evolve(hook, fact.data)
        if hook != begin:
            after[job_id] = hook
    return after


def _requested_phase(facts: Sequence[Fact], hook: FinalHook) -> str:
    """What the request says the hook tells of, for a job that is known by its deliveries alone."""
    return next(
        fact.data.phase
        for fact in facts
        if isinstance(fact.data, WebhookRedeliveryRequested) and fact.data.request == hook.request
    )


class Gate:
    """Keeps the dispatcher waiting until the deliveries are read as far as they went when this process started.

    It asks the checkpoints, not this process's own reader: with several processes each partition is read by one of
    them, and through a rebalance the checkpoint stays right.
    """

    def __init__(self, view: LogView, checkpoints: Checkpoints) -> None:
        self._view = view
        self._checkpoints = checkpoints
        self._behind: list[int] | None = None

    def problem(self) -> str | None:
        """A sentence while the gate is shut."""
        if self._behind is None:
            return "the deliveries are not read yet"
        return f"the deliveries of partitions {self._behind} are not read yet" if self._behind else None

    async def wait(self, stopping: asyncio.Event) -> None:
        """Returns when everything was read, or when it is time to stop."""
        begin = await self._view.begin_offsets(JOB_DELIVERIES)
        end = await self._view.end_offsets(JOB_DELIVERIES)
        targets = {part: offset for part, offset in end.items() if offset > begin[part]}
        while not stopping.is_set():
            await until_done("the gate", lambda: self._look(targets), stopping)
            if not self._behind:
                log.info("deliveries_read", partitions=len(end))
                return
            await asyncio.sleep(GATE_POLL_S)

    async def _look(self, targets: dict[int, int]) -> None:
        self._behind = await self._checkpoints.behind(targets)
