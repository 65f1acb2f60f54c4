"""Reads the audit from its topic: there are few questions, but a fact may have a hundred kilobytes.

So facts are chosen by their envelopes, those that are shown are decoded, and that in a thread.
"""

import asyncio
import heapq
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any

from aiokafka.errors import KafkaError
from pydantic import AfterValidator, Field

from piperoll.clock import Clock
from piperoll.log.contract import LogView
from piperoll.log.parking import decode_accounted
from piperoll.log.record import Record
from schemas.envelope import Fact
from schemas.events import AUDIT_EVENTS as KINDS
from schemas.topics import AUDIT_EVENTS
from services.api.http.answers import timestamp
from services.api.http.constraints import PlainText, utc_time
from services.api.http.errors import ReadModelUnavailableError, invalid_field
from services.api.http.shapes import QueryModel

MOST_RECORDS = 20_000
MOST_BYTES = 8 * 1024 * 1024  # of the facts in an answer
DAY = timedelta(days=1)
DEADLINE_S = 20.0

Json = dict[str, Any]


def _is_time(text: str) -> str:
    utc_time(text)
    return text


Time = Annotated[PlainText, AfterValidator(_is_time)]


class AuditQuery(QueryModel):
    """GET /api/audit."""

    owner: PlainText | None = Field(default=None, description="Only of keys of this owner")
    key_id: PlainText | None = Field(default=None, description="Only of this key")
    since: Time | None = Field(default=None, description="From this time on (RFC 3339); default: the last day")
    until: Time | None = Field(default=None, description="Before this time (RFC 3339)")
    limit: int = Field(default=100, ge=1, le=1000, description="How many at most, the newest")

    def shows(self, record: Record) -> bool:
        """Whether a record passes the filters, by its envelope."""
        return self.owner in (None, record.ce_owner) and self.key_id in (None, record.key_text)


@dataclass(slots=True)
class Newest:
    """The newest of many records: at most `limit`, and at most MOST_BYTES unless it is one."""

    limit: int
    ids: set[str] = field(default_factory=set)
    _kept: list[tuple[int, int, Record]] = field(default_factory=list)  # a heap, the oldest first
    _bytes: int = 0

    def take(self, record: Record) -> None:
        """Take a record, unless it was appended twice."""
        if not record.ce_id or record.ce_id in self.ids:
            return
        self.ids.add(record.ce_id)
        heapq.heappush(self._kept, (record.timestamp_ms, len(self.ids), record))
        self._bytes += len(record.value or b"")
        while len(self._kept) > self.limit or (self._bytes > MOST_BYTES and len(self._kept) > 1):
            self._bytes -= len(heapq.heappop(self._kept)[2].value or b"")

    def shown(self) -> Json:
        """Return the answer. Decodes the records that were kept."""
        facts = [decode_accounted(record).fact for _, _, record in sorted(self._kept, reverse=True)]
        known = [fact for fact in facts if fact is not None and isinstance(fact.data, KINDS)]
        known.sort(key=lambda fact: fact.time, reverse=True)
        return {"total": len(self.ids) - len(facts) + len(known), "facts": [_shown(fact) for fact in known]}


class AuditReader:
    """The facts of the audit topic."""

    def __init__(self, log: LogView, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    async def facts(self, query: AuditQuery) -> Json:
        """Return the newest facts of a time. Raises ApiError: INVALID_PARAMETERS (400) if the time has too many,
        READ_MODEL_UNAVAILABLE (503) while Kafka is away."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                newest = await self._read(query)
        except (KafkaError, OSError, TimeoutError) as error:
            raise ReadModelUnavailableError("the log does not answer in time: try again, or a shorter time") from error
        return await asyncio.to_thread(newest.shown)

    async def _read(self, query: AuditQuery) -> Newest:
        since = utc_time(query.since) if query.since else self._clock() - DAY
        begin = await self._log.offsets_at(AUDIT_EVENTS, since)
        end = await self._end(query)
        if (count := sum(max(0, end[part] - begin[part]) for part in begin)) > MOST_RECORDS:
            raise invalid_field("since", f"{count:,} facts are in this time, more than {MOST_RECORDS:,}: shorten it")
        newest = Newest(query.limit)
        async with aclosing(self._log.scan(AUDIT_EVENTS, begin, end)) as batches:
            async for records in batches:
                for record in filter(query.shows, records):
                    newest.take(record)
        return newest

    async def _end(self, query: AuditQuery) -> dict[int, int]:
        if query.until is None:
            return await self._log.end_offsets(AUDIT_EVENTS)
        return await self._log.offsets_at(AUDIT_EVENTS, utc_time(query.until))


def _shown(fact: Fact) -> Json:
    return {
        "id": fact.id,
        "time": timestamp(fact.time),
        "type": type(fact.data).__name__,
        "owner": fact.owner,
        "key_id": fact.subject,
        **fact.data.model_dump(mode="json", exclude_none=True),
    }
