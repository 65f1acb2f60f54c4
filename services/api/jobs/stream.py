"""Server-sent events of one job (docs/contract/secretary.md#stream), driven by the read model's notifications.

Any API process can serve any stream, and a client can continue at another one: an event's id is the number of facts
that it reflects, so `Last-Event-ID` identifies the state that the client has.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi.sse import format_sse_event
from pydantic_core import to_json

from piperoll.domain.job import Status
from piperoll.job_types import job_types
from piperoll.store.blobs import BlobStoreError
from services.api.http.errors import ApiError, UnavailableError
from services.api.jobs.reading import Reading
from services.api.jobs.views import JobContents, job_error
from services.api.read_model.job_rows import JobRow

log = structlog.get_logger()

HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no", "Connection": "keep-alive"}
MEDIA_TYPE = "text/event-stream"
HEARTBEAT = b": heartbeat\n\n"
OUTAGE_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class StreamPace:
    """The seconds between heartbeats, and those until a stream ends (docs/contract/secretary.md#stream)."""

    heartbeat_s: float = 15.0
    timeout_s: float = 300.0


PACE = StreamPace()


async def job_stream(
    reading: Reading, row: JobRow, client_id: str, last_seen: int | None, pace: StreamPace = PACE
) -> AsyncIterator[bytes]:
    """Yield the state of a job and its changes of status, percent or readable pages, until it ends, `pace` ends it or
    the service stops. `client_id` is the client's id of the job. A state that `last_seen`, the client's last event id,
    covers is not sent again."""
    began = sent_at = time.monotonic()
    sent = _visible(row) if last_seen is not None and row.standing.sequence <= last_seen else None
    while True:
        try:
            if _visible(row) != sent:
                yield await _event(reading, row, client_id)
                sent, sent_at = _visible(row), time.monotonic()
            if row.status.terminal or reading.watch.closed:
                return
            now = time.monotonic()
            if now >= began + pace.timeout_s:
                yield _timeout(client_id, pace)
                return
            if now >= sent_at + pace.heartbeat_s:
                yield HEARTBEAT
                sent_at = now
            row = await reading.after_fact(row, min(began + pace.timeout_s, sent_at + pace.heartbeat_s) - now)
        except (UnavailableError, BlobStoreError) as error:
            log.info("stream_waits", job_id=row.job_id, why=repr(error))
            await asyncio.sleep(OUTAGE_PAUSE_S)
        except ApiError as error:  # the job was erased
            yield _gone(row, client_id, error)
            return


def event_of(row: JobRow, contents: JobContents, client_id: str) -> tuple[str, dict[str, Any]]:
    """Return the event's name and data for the present state of a job."""
    percent = row.job.percent if row.job else 0
    declared = job_types().of(row.job_type)
    match row.status:
        case Status.PENDING:
            message = "Waiting for the next attempt" if row.job and row.job.attempt else "Waiting to be processed"
            return "pending", _data(row, client_id, "pending", message, {"progress": percent})
        case Status.PROCESSING:
            step = row.job.step if row.job and row.job.step else "initializing"
            data = {"progress": percent, **_readable(row)}
            return "progress", _data(row, client_id, "running", declared.step_message(step), data)
        case Status.COMPLETED:
            message, data = declared.completion(row.job_id, contents.result or {})
            return "completed", _data(row, client_id, "completed", message, data)
        case _:
            error = job_error(row, contents.error)
            message = str(error["message"]) if error else ""
            return "error", {**_data(row, client_id, "error", message, None), "error": error}


def _data(row: JobRow, client_id: str, phase: str, message: str, data: Any) -> dict[str, Any]:
    process = {"id": row.job_id, "main_processor": row.job_type}
    return {"phase": phase, "message": message, "job": {"id": client_id}, "process": process, "data": data}


def _readable(row: JobRow) -> dict[str, int]:
    """Return the last page that can be read before the end, once there is one."""
    records = row.job.page_records if row.job else None
    return {} if records is None else {"readable": records.last}


def _visible(row: JobRow) -> tuple[Status, int, dict[str, int]]:
    """Return the part of a job's state that events show."""
    return row.status, row.job.percent if row.job else 0, _readable(row)


async def _event(reading: Reading, row: JobRow, client_id: str) -> bytes:
    contents = await reading.contents(row) if row.status.terminal else JobContents()
    name, data = event_of(row, contents, client_id)
    return sse_event(name, data, str(row.standing.sequence))


def _timeout(client_id: str, pace: StreamPace) -> bytes:
    message = f"The job has not ended within {pace.timeout_s:g} s: connect again to follow it"
    return sse_event("timeout", {"phase": "timeout", "message": message, "job": {"id": client_id}})


def _gone(row: JobRow, client_id: str, error: ApiError) -> bytes:
    why = {"code": error.code.value, "message": error.message, "details": error.details}
    return sse_event("error", {**_data(row, client_id, "error", error.message, None), "error": why})


def sse_event(name: str, data: dict[str, Any], event_id: str | None = None) -> bytes:
    """Encode an event."""
    return format_sse_event(data_str=to_json(data).decode(), event=name, id=event_id)
