"""Server-sent events of all jobs and batches of an owner (docs/contract/additions.md#owner-stream).

An event shows the state at the time of sending. Its id is the place after it (`.changes`), at which any API process
continues.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import structlog
from pydantic import Field

from piperoll.clock import happens_within
from services.api.batches.views import changed_batch
from services.api.http.constraints import PlainText
from services.api.http.errors import UnavailableError, invalid_request
from services.api.http.shapes import QueryModel
from services.api.jobs.query_strings import JobType
from services.api.jobs.stream import HEARTBEAT, OUTAGE_PAUSE_S, PACE, StreamPace, sse_event
from services.api.jobs.views import changed_job
from services.api.owner_stream.changes import ChangeFeed, ChangePage, StreamPlace
from services.api.read_model.job_rows import JobRow

log = structlog.get_logger()

INTERVAL_S = 0.25  # between two reads of a stream
AGAIN = "connect again, with the id of this event as Last-Event-ID"


class StreamQuery(QueryModel):
    """GET /api/stream; a filter that is None passes all. With a job type there are no batches."""

    job_type: JobType | None = Field(default=None, description="Only jobs of this type, and no batches")
    batch_id: PlainText | None = Field(default=None, description="Only this batch and its jobs")

    def job(self, row: JobRow) -> bool:
        """Return whether a job passes the filters."""
        return self.job_type in (None, row.job_type) and self.batch_id in (None, row.batch_id)

    def batch(self, batch_id: str) -> bool:
        """Return whether a batch passes the filters."""
        return self.job_type is None and self.batch_id in (None, batch_id)


def place_of(last_event_id: str | None, installation: str = "") -> StreamPlace | None:
    """Return the place at which a client continues; None without an id. An id of an earlier release names no
    installation.

    Raises ApiError INVALID_REQUEST (400) for any other text and for an id of another installation, or of this one
    before its log was replaced: a stream from now on, or from these offsets, would lose changes silently.
    """
    if not last_event_id:
        return None
    place = StreamPlace.parse(last_event_id)
    if place is None:
        raise invalid_request(
            "Last-Event-ID is not an id of this stream: send the last one unchanged, or none to begin from now"
        )
    if place.installation not in ("", installation):
        raise invalid_request(
            "Last-Event-ID is of another log than that of this installation: read the lists, and begin without an id"
        )
    return replace(place, installation=installation)


async def owner_stream(
    feed: ChangeFeed, owner: str, query: StreamQuery, begin: StreamPlace, resumed: bool, pace: StreamPace = PACE
) -> AsyncIterator[bytes]:
    """Yield the changes after `begin`, until `pace` ends it or the service stops; then the client reconnects, which
    also checks its key again."""
    began = sent_at = time.monotonic()
    place, more = begin, False
    yield sse_event("open", {"resumed": resumed}, str(place))
    while True:
        news, read_at = feed.news, time.monotonic()
        try:
            page = await feed.page(owner, place)
            if events := _encoded(page, query, place):
                yield events
                sent_at = time.monotonic()
            place, more = page.end, page.more
        except UnavailableError as error:
            log.info("owner_stream_waits", owner=owner, why=repr(error))
            await asyncio.sleep(OUTAGE_PAUSE_S)
            more = True
        now = time.monotonic()
        if feed.closed or now >= began + pace.timeout_s:
            yield sse_event("end", {"message": AGAIN}, str(place))
            return
        if now >= sent_at + pace.heartbeat_s:
            yield HEARTBEAT
            sent_at = now
        if not more:
            await _until(news, min(began + pace.timeout_s, sent_at + pace.heartbeat_s) - now, read_at)


async def _until(news: asyncio.Event, wait_s: float, read_at: float) -> None:
    """Return at the next news or after `wait_s`, and at least INTERVAL_S after the last read. Waiting streams read at
    the same times, so that those of one owner share a page."""
    if not await happens_within(news, wait_s):
        return
    now = time.monotonic()
    if now < read_at + INTERVAL_S:
        await asyncio.sleep(INTERVAL_S - now % INTERVAL_S)


def _encoded(page: ChangePage, query: StreamQuery, place: StreamPlace) -> bytes:
    """Return the events of a page, encoded once for all streams that share it."""
    if query not in page.encoded:
        page.encoded[query] = b"".join(events_of(page, query, place))
    return page.encoded[query]


def events_of(page: ChangePage, query: StreamQuery, place: StreamPlace) -> Iterator[bytes]:
    """Yield the events of a page. Batches come first and without an id: a client cut off after them gets them again."""
    events: list[tuple[str, dict[str, Any], StreamPlace | None]] = [
        ("batch", changed_batch(batch, page.outlook), None)
        for batch in page.batches
        if query.batch(batch.batch.batch_id)
    ]
    events += [("batch", {"batch_id": id_, "deleted": True}, None) for id_ in page.deleted if query.batch(id_)]
    for position, row in page.jobs:
        if query.job(row):
            place = place.after(position)
            events.append(("job", changed_job(row, page.outlook), place))
    for number, (name, data, after) in enumerate(events, start=1):
        after = page.end if number == len(events) else after
        yield sse_event(name, data, None if after is None else str(after))
