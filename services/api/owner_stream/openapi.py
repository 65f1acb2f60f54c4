"""The OpenAPI description of `/api/stream` (docs/contract/additions.md#owner-stream)."""

from typing import Final

from services.api.openapi.examples import BATCH_ID, JOB_ID
from services.api.openapi.grammar import content, header, operation, query_of
from services.api.owner_stream.changes import PLACE
from services.api.owner_stream.stream import StreamQuery

_JOB: Final = (
    f'{{"job_id":"{JOB_ID}","job_type":"pdf","status":"processing","created_at":"2026-01-01T00:00:00Z",'
    '"updated_at":"2026-01-01T00:00:02Z","progress":{"step":"extracting_text","percent":45,'
    f'"message":"Extracting text from PDF..."}},"batch_id":"{BATCH_ID}","attempt":1,'
    '"processing_started_at":"2026-01-01T00:00:01Z"}'
)
_BATCH: Final = (
    f'{{"batch_id":"{BATCH_ID}","status":"processing","job_count":3,"completed_count":1,"failed_count":0,'
    '"total_jobs":3,"completed_jobs":1,"failed_jobs":0,"pending_jobs":1,"processing_jobs":1,'
    '"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:02Z"}'
)
_EXAMPLE: Final = (
    'event: open\ndata: {"resumed":false}\nid: 4b7.4c1.4b0\n\n'
    f"event: batch\ndata: {_BATCH}\n\n"
    f"event: job\ndata: {_JOB}\nid: 4b7.4c2.4b0\n\n"
)
_EVENTS: Final = (
    "open: the stream begins here. job: a job's state without parameters and results; deleted is true once it was "
    "erased. batch: a batch's counts, sent before the jobs that changed them. end: connect again"
)

STREAM = operation(
    "Follow all jobs and batches",
    {200: content("text/event-stream", _EXAMPLE, _EVENTS, {"type": "string", "format": "binary"})},
    (400,),
    parameters=(
        *query_of(StreamQuery),
        header("Last-Event-ID", "The id of the last event seen. Default: from now on", pattern=f"^({PLACE})?$"),
    ),
    bad=("INVALID_REQUEST", "Unknown parameters, or a Last-Event-ID that is not of this stream: INVALID_REQUEST"),
)
