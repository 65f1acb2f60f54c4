"""Server-sent events of all jobs and batches of an owner (contract 2e): what is said when, to which client.

Each event is a change as it stands by the time it is told, and its id is the place behind it (`.changes`),
at which any API process goes on.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.datastructures import QueryParams

from piperoll.job_types import job_types
from services.api.http.errors import ApiError, UnavailableError, invalid_request
from services.api.http.fields import check_names, plain_text
from services.api.jobs.stream import HEARTBEAT, OUTAGE_PAUSE_S, PACE, Pace, written
from services.api.jobs.views import changed_batch, changed_job
from services.api.owner_stream.changes import ChangeFeed, Page, Place
from services.api.read_model.job_rows import JobRow

log = structlog.get_logger()

INTERVAL_S = 0.25  # between two questions of a stream
AGAIN = "connect again, with the id of this event as Last-Event-ID"
NAMES = frozenset({"job_type", "batch_id"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client wants to hear of; None lets everything through. With a job type it hears of no batch."""

    job_type: str | None = None
    batch_id: str | None = None

    def job(self, row: JobRow) -> bool:
        """Whether this job is among it."""
        return self.job_type in (None, row.job_type) and self.batch_id in (None, row.batch_id)

    def batch(self, batch_id: str) -> bool:
        """Whether this batch is among it."""
        return self.job_type is None and self.batch_id in (None, batch_id)


def asked_changes(query: QueryParams) -> Asked:
    """What GET /api/stream asks for. Raises ApiError: INVALID_REQUEST, INVALID_PARAMETERS (400)."""
    check_names(query, NAMES)
    job_type = plain_text(query, "job_type")
    return Asked(job_type and job_types().own_name(job_type), plain_text(query, "batch_id"))


def place_of(last_event_id: str | None) -> Place | None:
    """Where a client goes on; None for one that comes anew.

    Raises ApiError INVALID_REQUEST (400) for what is no id of ours: to begin anew would lose changes silently.
    """
    if not last_event_id:
        return None
    place = Place.parse(last_event_id)
    if place is None:
        raise _no_place()
    return place


async def owner_stream(
    feed: ChangeFeed, owner: str, asked: Asked, begin: Place, resumed: bool, pace: Pace = PACE
) -> AsyncIterator[bytes]:
    """The changes behind `begin`, until `pace` ends it or the service stops: then the client comes again.

    That it ends is how a key that was revoked meanwhile stops being listened with.
    """
    began = said = time.monotonic()
    place, more = begin, False
    yield written("open", {"resumed": resumed}, str(place))
    while True:
        news, asked_at = feed.news, time.monotonic()
        try:
            page = await feed.page(owner, place)
            if events := _written(page, asked, place):
                yield events
                said = time.monotonic()
            place, more = page.end, page.more
        except UnavailableError as error:
            log.info("owner_stream_waits", owner=owner, why=repr(error))
            await asyncio.sleep(OUTAGE_PAUSE_S)
            more = True
        now = time.monotonic()
        if feed.closed or now >= began + pace.timeout_s:
            yield written("end", {"message": AGAIN}, str(place))
            return
        if now >= said + pace.heartbeat_s:
            yield HEARTBEAT
            said = now
        if not more:
            await _until(news, min(began + pace.timeout_s, said + pace.heartbeat_s) - now, asked_at)


async def _until(news: asyncio.Event, wait_s: float, asked_at: float) -> None:
    """Returns at the next news or after `wait_s`, and not too soon after the last question.

    Streams that have to wait ask at the same moments, so that those of one owner share an answer.
    """
    try:
        async with asyncio.timeout(wait_s):
            await news.wait()
    except TimeoutError:
        return
    now = time.monotonic()
    if now < asked_at + INTERVAL_S:
        await asyncio.sleep(INTERVAL_S - now % INTERVAL_S)


def _written(page: Page, asked: Asked, place: Place) -> bytes:
    """The events of a page, written once for all streams that share it."""
    if asked not in page.written:
        page.written[asked] = b"".join(told(page, asked, place))
    return page.written[asked]


def told(page: Page, asked: Asked, place: Place) -> Iterator[bytes]:
    """The events of a page. Batches go first and without an id: who is cut off behind them hears of them again."""
    events: list[tuple[str, dict[str, Any], Place | None]] = [
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
    said = (
        "Last-Event-ID is no id of an event of this stream: send the last one as it was, or none to begin from now on"
    )
    return invalid_request(said)
