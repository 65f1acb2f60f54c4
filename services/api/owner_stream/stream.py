"""Server-sent events of all jobs and batches of an owner (contract 2e): which event is sent when, to which client.

Each event is a change as it is at the time of sending, and its id is the place behind it (`.changes`),
at which any API process goes on.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import structlog
from pydantic import Field

from piperoll.clock import happens_within
from services.api.batches.views import changed_batch
from services.api.http.errors import ApiError, UnavailableError, invalid_request
from services.api.http.shapes import PlainText, QueryModel
from services.api.jobs.queries import JobType
from services.api.jobs.stream import HEARTBEAT, OUTAGE_PAUSE_S, PACE, StreamPace, written
from services.api.jobs.views import changed_job
from services.api.owner_stream.changes import ChangeFeed, ChangePage, StreamPlace
from services.api.read_model.job_rows import JobRow

log = structlog.get_logger()

INTERVAL_S = 0.25  # between two questions of a stream
AGAIN = "connect again, with the id of this event as Last-Event-ID"


class StreamQuery(QueryModel):
    """GET /api/stream; None lets everything through. With a job type there are no batches."""

    job_type: JobType | None = Field(default=None, description="Only jobs of this type, and no batches")
    batch_id: PlainText | None = Field(default=None, description="Only this batch and its jobs")

    def job(self, row: JobRow) -> bool:
        """Whether this job passes."""
        return self.job_type in (None, row.job_type) and self.batch_id in (None, row.batch_id)

    def batch(self, batch_id: str) -> bool:
        """Whether this batch passes."""
        return self.job_type is None and self.batch_id in (None, batch_id)


def place_of(last_event_id: str | None) -> StreamPlace | None:
    """Where a client goes on; None without an id.

    Raises ApiError INVALID_REQUEST (400) for any other text: to begin from now would lose changes silently.
    """
    if not last_event_id:
        return None
    place = StreamPlace.parse(last_event_id)
    if place is None:
        raise _no_place()
    return place


async def owner_stream(
    feed: ChangeFeed, owner: str, asked: StreamQuery, begin: StreamPlace, resumed: bool, pace: StreamPace = PACE
) -> AsyncIterator[bytes]:
    """The changes behind `begin`, until `pace` ends it or the service stops: then the client reconnects.

    A key that was revoked meanwhile ends at the reconnection.
    """
    began = sent_at = time.monotonic()
    place, more = begin, False
    yield written("open", {"resumed": resumed}, str(place))
    while True:
        news, asked_at = feed.news, time.monotonic()
        try:
            page = await feed.page(owner, place)
            if events := _written(page, asked, place):
                yield events
                sent_at = time.monotonic()
            place, more = page.end, page.more
        except UnavailableError as error:
            log.info("owner_stream_waits", owner=owner, why=repr(error))
            await asyncio.sleep(OUTAGE_PAUSE_S)
            more = True
        now = time.monotonic()
        if feed.closed or now >= began + pace.timeout_s:
            yield written("end", {"message": AGAIN}, str(place))
            return
        if now >= sent_at + pace.heartbeat_s:
            yield HEARTBEAT
            sent_at = now
        if not more:
            await _until(news, min(began + pace.timeout_s, sent_at + pace.heartbeat_s) - now, asked_at)


async def _until(news: asyncio.Event, wait_s: float, asked_at: float) -> None:
    """Returns at the next news or after `wait_s`, and not too soon after the last question.

    Streams that have to wait ask at the same moments, so that those of one owner share an answer.
    """
    if not await happens_within(news, wait_s):
        return
    now = time.monotonic()
    if now < asked_at + INTERVAL_S:
        await asyncio.sleep(INTERVAL_S - now % INTERVAL_S)


def _written(page: ChangePage, asked: StreamQuery, place: StreamPlace) -> bytes:
    """The events of a page, written once for all streams that share it."""
    if asked not in page.written:
        page.written[asked] = b"".join(events_of(page, asked, place))
    return page.written[asked]


def events_of(page: ChangePage, asked: StreamQuery, place: StreamPlace) -> Iterator[bytes]:
    """The events of a page. Batches go first and without an id: a client cut off behind them gets them again."""
    events: list[tuple[str, dict[str, Any], StreamPlace | None]] = [
        ("batch", changed_batch(batch), None) for batch in page.batches if asked.batch(batch.batch.batch_id)
    ]
    events += [("batch", {"batch_id": gone, "deleted": True}, None) for gone in page.deleted if asked.batch(gone)]
    for position, row in page.jobs:
        if asked.job(row):
            place = place.after(position)
            events.append(("job", changed_job(row), place))
    for number, (name, data, behind) in enumerate(events, start=1):
        behind = page.end if number == len(events) else behind
        yield written(name, data, None if behind is None else str(behind))


def _no_place() -> ApiError:
    message = "Last-Event-ID is not an id of this stream: send the last one unchanged, or none to begin from now"
    return invalid_request(message)
