"""Streams of server-sent events, which are resumed after their end and after a cut connection."""

import json
from collections import deque
from collections.abc import Mapping
from typing import Any

from piperoll.client.errors import UnexpectedAnswerError, UnreachableError
from piperoll.client.exchange import asked, part, query_of, viewed
from piperoll.client.sse import EventParser, ServerEvent
from piperoll.client.views.jobs import BatchView, JobEvent, JobView, OwnerEvent
from piperoll.client.wire import ApiRequest, Emit, Pause, Read, Script, Series, TransportFault, now, policy

NO_CONTENT = 204
CLOSING = frozenset({"timeout", "end"})
"""Events that close a stream, which is then resumed."""


def stream_job(job_id: str, *, after: str = "") -> Series[JobEvent]:
    """Iterate over the events of a job until its end: its state at once, then each change of status or percent.

    `after` is the `event_id` of an event that was seen before.
    """
    stream = _ResumedStream(f"/api/jobs/{part(job_id)}/stream", {}, after)
    while (event := (yield from stream.next())) is not None:
        known = viewed(JobEvent, {**_data_of(event), "name": event.name, "event_id": event.event_id})
        yield Emit(known)
        if known.ended:
            return


def stream_owner(*, job_type: str | None = None, batch_id: str | None = None, after: str = "") -> Series[OwnerEvent]:
    """Iterate over the changes of all jobs and batches of the owner, for ever. Open it before you list what exists.

    `after` is the `event_id` of an event that was seen before; jobs that changed since then come first.
    """
    stream = _ResumedStream("/api/stream", query_of({"job_type": job_type, "batch_id": batch_id}), after)
    while (event := (yield from stream.next())) is not None:
        data = _data_of(event)
        job = viewed(JobView, data) if event.name == "job" else None
        batch = viewed(BatchView, data) if event.name == "batch" else None
        yield Emit(OwnerEvent(name=event.name, event_id=event.event_id, job=job, batch=batch))


class _ResumedStream:
    """One stream over as many connections as it takes."""

    def __init__(self, path: str, query: Mapping[str, str], after: str) -> None:
        self._path = path
        self._query = query
        self._last_id = after
        self._waiting: deque[ServerEvent] = deque()
        self._parser: EventParser | None = None
        self._cuts = 0

    def next(self) -> Script[ServerEvent | None]:
        """Return the next event; None when the API has no more. Raises UnreachableError if it stays away."""
        heard = yield from now()
        while not self._waiting:
            if self._parser is None:
                if (yield from self._open()).status == NO_CONTENT:
                    return None
                self._parser = EventParser(self._last_id)
            piece: bytes | TransportFault = yield Read()
            if isinstance(piece, bytes) and piece:
                self._take(self._parser.feed(piece))
                heard = yield from now()
            else:
                yield from self._cut(heard, piece)
        self._cuts = 0
        event = self._waiting.popleft()
        self._last_id = event.event_id
        return event

    def _open(self) -> Script[Any]:
        headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
        return (yield from asked(ApiRequest("GET", self._path, self._query, headers=headers), stream=True))

    def _take(self, events: list[ServerEvent]) -> None:
        for event in events:
            if event.name in CLOSING:
                self._last_id, self._parser = event.event_id, None
                return
            self._waiting.append(event)

    def _cut(self, heard: float, piece: bytes | TransportFault) -> Script[None]:
        """Close the connection and wait before the next one."""
        self._parser = None
        self._cuts += 1
        rules = yield from policy()
        if (yield from now()) - heard > rules.retry_for_s:
            raise UnreachableError(piece.reason if isinstance(piece, TransportFault) else "the stream ends at once")
        yield Pause(rules.pause(self._cuts))


def _data_of(event: ServerEvent) -> dict[str, Any]:
    try:
        return dict(json.loads(event.data))
    except (ValueError, TypeError):
        raise UnexpectedAnswerError(f"an event {event.name!r} of a stream has no JSON object") from None
