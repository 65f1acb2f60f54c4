"""Collects what keys read and erased, and appends it as facts now and then: never in the way of a request.

A key has one fact for each INTERVAL_S in which it read, whatever the number of requests. What was erased is appended
within a second. A process that is killed loses what it collected since; while Kafka is away the facts wait, MOST_FACTS
of them.
"""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import uuid4

import structlog

from piperoll.clock import Clock, happens_within
from piperoll.log.contract import Appender, AppendError, OutcomeUnknownError
from schemas.envelope import Fact
from schemas.events import AccessedItem, ContentAccessed
from schemas.ids import event_id
from schemas.topics import AUDIT_EVENTS
from services.api.http.caller import Caller

log = structlog.get_logger()

INTERVAL_S = 300.0
ERASED_S = 1.0
APPEND_S = 2.0
MOST_ITEMS = 1000  # listed in one fact, of about 100 bytes each; further ones are only counted
MOST_FACTS = 1000
Action = Literal["read", "erased"]
NOTED: Final[dict[str, Action]] = {"GET": "read", "DELETE": "erased"}


@dataclass(slots=True)
class Collected:
    """What a key did since a time."""

    since: datetime
    counts: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    unlisted: int = 0


class AccessRecorder:
    """Notes answered requests. `run` appends their facts until the stop."""

    def __init__(self, appender: Appender, clock: Clock) -> None:
        self._appender = appender
        self._clock = clock
        self._collected: dict[tuple[str, str, Action], Collected] = {}
        self._unsent: list[Fact] = []
        self._sending = asyncio.Lock()
        self._erased = asyncio.Event()

    def note(self, caller: Caller, method: str, route: str, subject: str | None, reads: bool = False) -> None:
        """Note that a request of `caller` was answered with success. Only reads and erasures are kept; `reads`: it read
        its subject, whatever the method."""
        action = "read" if reads else NOTED.get(method)
        if action is None:
            return
        key = (caller.owner, caller.key_id, action)
        found = self._collected.get(key)
        if found is None:
            found = self._collected[key] = Collected(self._clock())
        item = (f"{method} {route}", subject)
        if item in found.counts or len(found.counts) < MOST_ITEMS:
            found.counts[item] += 1
        else:
            found.unlisted += 1
        if action == "erased":
            self._erased.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Append what was collected every INTERVAL_S, and erasures soon after they happened."""
        due = time.monotonic() + INTERVAL_S
        while not stopping.is_set():
            if await happens_within(self._erased, max(0.0, due - time.monotonic())):
                await happens_within(stopping, ERASED_S)
                self._erased.clear()
                await self.flush("erased")
            if time.monotonic() >= due:
                due = time.monotonic() + INTERVAL_S
                await self.flush()

    async def flush(self, *actions: Action) -> None:
        """Append what was collected of these actions until now, of all by default, as far as Kafka accepts it."""
        keys = [key for key in self._collected if not actions or key[2] in actions]
        self._unsent += [self._fact(*key, self._collected.pop(key)) for key in keys]
        dropped = len(self._unsent) - MOST_FACTS
        if dropped > 0:
            log.error("audit_facts_dropped", count=dropped)
            del self._unsent[:dropped]
        async with self._sending:
            await self._send()

    async def _send(self) -> None:
        while self._unsent:
            fact = self._unsent[0]
            try:
                await self._appender.append(AUDIT_EVENTS, fact, APPEND_S)
            except OutcomeUnknownError as error:
                log.warning("audit_facts_wait", count=len(self._unsent), error=repr(error))
                return
            except AppendError:  # it is refused at each try
                log.exception("audit_fact_refused", key_id=fact.subject)
            if self._unsent and self._unsent[0] is fact:  # else it was dropped meanwhile
                del self._unsent[0]

    def _fact(self, owner: str, key_id: str, action: Action, found: Collected) -> Fact:
        items = tuple(AccessedItem(route=route, id=name, times=n) for (route, name), n in found.counts.items())
        event = ContentAccessed(action=action, since=found.since, items=items, unlisted=found.unlisted)
        scope = event_id(uuid4().hex, "ContentAccessed")
        return Fact(id=scope, subject=key_id, owner=owner, time=self._clock(), source="api", data=event)
