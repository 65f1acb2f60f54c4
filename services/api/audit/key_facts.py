"""Appends the facts of changed keys, which Postgres holds from the change on (`piperoll.keys`)."""

import asyncio

import asyncpg
import structlog
from pydantic import ValidationError

from piperoll import keys
from piperoll.clock import happens_within
from piperoll.log.contract import Appender, AppendError
from schemas.envelope import Fact
from schemas.events import KeyChanged
from schemas.ids import event_id
from schemas.topics import AUDIT_EVENTS
from services.api.http.database import AWAY

log = structlog.get_logger()

PAUSE_S = 1.0
APPEND_S = 5.0  # less than Postgres's bound of a silent transaction


class KeyFacts:
    """Relays the changes that any API process or command made."""

    def __init__(self, pool: asyncpg.Pool, appender: Appender) -> None:
        self._pool = pool
        self._appender = appender

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay until the stop; try again after outages."""
        waits = False
        while not await happens_within(stopping, PAUSE_S):
            try:
                await keys.relay_changes(self._pool, self._append)
                waits = False
            except (*AWAY, AppendError) as error:
                if not waits:
                    log.warning("key_facts_wait", error=repr(error))
                waits = True

    async def _append(self, note: keys.KeyNote) -> None:
        scope = event_id(f"{note.key_id}/{note.number}/{note.time.isoformat()}", "KeyChanged")
        try:
            event = KeyChanged.model_validate(note.body)
        except ValidationError:  # at each try, and it would hold up all later ones
            log.exception("key_fact_given_up", key_id=note.key_id, owner=note.owner, change=note.body)
            return
        fact = Fact(id=scope, subject=note.key_id, owner=note.owner, time=note.time, source="api", data=event)
        await self._appender.append(AUDIT_EVENTS, fact, APPEND_S)
