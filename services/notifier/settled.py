"""Reads the deliveries topic into the queue: which final hooks are settled, as the log has it.

In ordinary days this tells the queue what it knows. It matters when the schema was lost: then what was delivered
already must not be sent again, and the dispatcher waits for this (see Gate).
"""

import asyncio
from collections.abc import Mapping, Sequence

import asyncpg
import structlog

from piperoll.log.dead_letters import DeadLetters
from piperoll.log.record import Record
from schemas.envelope import UndecodableRecordError
from schemas.events import WebhookAbandoned, WebhookDelivered, WebhookFailed
from schemas.topics import JOB_DELIVERIES
from services.notifier.checkpoints import Checkpoints, LogView
from services.notifier.fold import State
from services.notifier.notice_queue import settle_from_log
from services.notifier.patience import until_done
from services.notifier.queue import SQL

log = structlog.get_logger()

GROUP = "piperoll.notifier.deliveries"
FAILED = WebhookFailed.type_name().encode()
GATE_POLL_S = 0.2


class Settled:
    """The Reader (piperoll.log.contract) of the deliveries."""

    def __init__(
        self, pool: asyncpg.Pool, checkpoints: Checkpoints, dead_letters: DeadLetters, stopping: asyncio.Event
    ) -> None:
        self._pool = pool
        self._checkpoints = checkpoints
        self._dead_letters = dead_letters
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
            states: dict[str, tuple[str, State]] = {}
            told: dict[tuple[str, str], tuple[str, int]] = {}
            for record in fresh:
                await self._note(states, told, record)
            await settle_from_log(connection, told)
            if states:
                owners, ends = zip(*states.values(), strict=True)
                await connection.execute(SQL["settle_from_log"], partition, list(states), list(owners), list(ends))
            await self._checkpoints.advance(connection, fresh[-1])

    async def _note(
        self, states: dict[str, tuple[str, State]], told: dict[tuple[str, str], tuple[str, int]], record: Record
    ) -> None:
        """Notes a final hook that is settled, of which the first counts, or the last change an endpoint was told."""
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
                _, before = told.get((fact.subject, endpoint_id), ("", 0))
                told[fact.subject, endpoint_id] = (fact.owner, max(before, change))
            case WebhookDelivered(phase="completed" | "error"):
                states.setdefault(fact.subject, (fact.owner, "delivered"))
            case WebhookAbandoned(phase="completed" | "error", reason=reason):
                states.setdefault(fact.subject, (fact.owner, "held" if reason == "TOO_OLD" else "abandoned"))


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
