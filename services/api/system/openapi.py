"""The OpenAPI descriptions of `/api/system` (docs/contract/additions.md#system)."""

from typing import Final

from services.api.openapi.examples import JOB_ID, Json
from services.api.openapi.grammar import data, operation

LETTER_ID: Final = "jobs-3-120"
_TOPIC: Final = "piperoll.jobs.events.v1"
_WORKER: Json = {"instance": "worker-0", "partitions": 24, "slots": 4, "running": 2}
_READER: Json = {"group": "piperoll.worker", "topic": _TOPIC, "lag": 0}
_GROUP: Json = {"owner": "acme", "job_type": "pdf", "pending": 7, "processing": 2, "oldest_at": "2026-01-01T00:00:00Z"}
_OLDEST: Json = {"job_id": JOB_ID, "owner": "acme", "job_type": "pdf", "created_at": "2026-01-01T00:00:00Z"}
_RECEIVER: Json = {
    "owner": "acme",
    "origin": "https://example.com",
    "kind": "webhook",
    "waiting": 3,
    "attempts": 4,
    "next_attempt_at": "2026-01-01T00:10:00Z",
    "job_id": JOB_ID,
    "reason": "HTTP_STATUS",
    "status": 503,
}
_LETTER: Json = {
    "id": LETTER_ID,
    "topic": _TOPIC,
    "partition": 3,
    "offset": 120,
    "key": JOB_ID,
    "type": None,
    "reason": "the record has no ce_type",
    "at": "2026-01-01T00:00:00Z",
    "state": "parked",
    "by": ["projector"],
}
_LETTERS: Json = {
    "count": 1,
    "stopped": 0,
    "places": [{"topic": _TOPIC, "partition": 3, "count": 1}],
    "newest": [_LETTER],
    "complete": True,
}
_POINT: Json = {
    "at": "2026-01-01T00:04:00Z",
    "completed": 40,
    "failed": 1,
    "cancelled": 0,
    "p50_s": 1.189,
    "p95_s": 4.757,
}
_VERIFY: Json = {
    "verdict": "holds",
    "ended_at": "2026-01-01T00:00:00Z",
    "seconds": 2.5,
    "records": 900,
    "jobs": 200,
    "documents": 3,
    "violations": 0,
    "sentences": [],
}
_SYSTEM: Json = {
    "at": "2026-01-01T00:05:00Z",
    "services": [{"service": "worker", "processes": [_WORKER], "lag": 0, "readers": [_READER]}],
    "queue": {"pending": 7, "processing": 2, "oldest": _OLDEST, "groups": [_GROUP], "left_out": 0},
    "receivers": [_RECEIVER],
    "dead_letters": _LETTERS,
    "plots": {"hour": {"seconds": 60, "points": [_POINT]}, "day": {"seconds": 3600, "points": [_POINT]}},
    "verify": _VERIFY,
    "unknown": {},
}

GET = operation(
    "Show the state of the installation",
    {
        200: data(
            _SYSTEM,
            "Services, queue, failing receivers, dead letters, plots and the last verification. A part that cannot be "
            "read is null, and `unknown` has the reason by its name",
        )
    },
    (403,),
)
REDRIVE = operation(
    "Put a parked record back, with all other parked records of its key",
    {200: data({"id": LETTER_ID, "put_back": [LETTER_ID]}, "Put back; a repeat puts nothing back and succeeds")},
    (403, 404, 409),
)
