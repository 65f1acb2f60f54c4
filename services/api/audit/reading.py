"""Reads the audit from its topic: there are few facts, and few questions."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from datetime import timedelta
from typing import Annotated, Any

from aiokafka.errors import KafkaError
from pydantic import AfterValidator, Field

from piperoll.clock import Clock
from piperoll.log.contract import LogView
from piperoll.log.parking import decode_accounted
from schemas.envelope import Fact
from schemas.events import AUDIT_EVENTS as KINDS
from schemas.topics import AUDIT_EVENTS
from services.api.http.answers import timestamp
from services.api.http.constraints import PlainText, utc_time
from services.api.http.errors import ReadModelUnavailableError, invalid_field
from services.api.http.shapes import QueryModel

MOST_RECORDS = 20_000
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

    def shows(self, fact: Fact) -> bool:
        """Whether a fact passes the filters."""
        return self.owner in (None, fact.owner) and self.key_id in (None, fact.subject)


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
                found = await self._read(query)
        except (KafkaError, OSError, TimeoutError) as error:
            raise ReadModelUnavailableError("the log does not answer at present") from error
        newest = sorted(found.values(), key=lambda fact: fact.time, reverse=True)
        return {"total": len(newest), "facts": [_shown(fact) for fact in newest[: query.limit]]}

    async def _read(self, query: AuditQuery) -> Mapping[str, Fact]:
        since = utc_time(query.since) if query.since else self._clock() - DAY
        begin = await self._log.offsets_at(AUDIT_EVENTS, since)
        end = await self._end(query)
        if (count := sum(max(0, end[part] - begin[part]) for part in begin)) > MOST_RECORDS:
            raise invalid_field("since", f"{count:,} facts are in this time, more than {MOST_RECORDS:,}: shorten it")
        found: dict[str, Fact] = {}
        async with aclosing(self._log.scan(AUDIT_EVENTS, begin, end)) as batches:
            async for records in batches:
                facts = [decode_accounted(record).fact for record in records]
                found |= {
                    fact.id: fact for fact in facts if fact and isinstance(fact.data, KINDS) and query.shows(fact)
                }
        return found

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
