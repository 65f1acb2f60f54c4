"""The sentences of log entries and reasons (docs/contract/secretary.md#job). Job types declare those of steps."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.errors import SENTENCES, ErrorCode
from schemas.job_types.declaration import COMPLETED
from services.api.http.answers import timestamp
from services.api.read_model.job_rows import NotedFact

FAILURES: Mapping[str, str] = {
    "HTTP_STATUS": "the receiver answered {status}",
    "TIMEOUT": "the receiver did not answer in time",
    "CONNECTION": "the receiver could not be reached",
    "TLS": "the receiver's certificate was not accepted",
    "NAME_NOT_FOUND": "the receiver's name was not found",
    "EXHAUSTED": "the last attempt failed",
    "GONE": "the receiver answered 410",
    "BLOCKED_ADDRESS": "the receiver's address is blocked",
    "TOO_OLD": "the event is too old to be sent without a request",
    "REMOVED": "the endpoint was removed",
    "ERASED": "the job was erased",
    "FORGOTTEN": "the receiver's address is no longer stored, a month after the job",
    "LOST": "the job's parameters, which name the receiver, are missing",
    "UNREADABLE": "the content of the webhook can no longer be read",
}
"""By the reason of a webhook's failure."""


def error_sentence(code: str) -> str:
    """Return the sentence for an error whose details are not available."""
    if code not in ErrorCode.__members__:
        return code
    return SENTENCES.get(ErrorCode(code), SENTENCES[ErrorCode.PROCESSING_ERROR])


def delivery_outcome(name: str) -> str:
    """Return the name of an event in a job's deliveries: delivered, failed, abandoned, requested."""
    return name.removeprefix("Webhook").removeprefix("Redelivery").lower()


def delivery_reason(data: Mapping[str, Any]) -> str:
    """Return a sentence about why a webhook's attempt failed."""
    reason = str(data.get("reason", ""))
    return FAILURES.get(reason, reason).format(status=data.get("status", "without a status"))


def log_entries(
    facts: Iterable[NotedFact], failures: Iterable[NotedFact], error: str | None, notes: Sequence[str] = ()
) -> list[dict[str, str]]:
    """Return the log, oldest first: `{timestamp, level, message}`.

    `error` is the sentence a job failed with. `notes` are those of its last run; they precede its end.
    """
    entries = [*_fact_entries(facts, error, notes), *(_failure_entry(failure) for failure in failures)]
    entries.sort(key=lambda entry: entry[0].time)  # stable: facts of one moment keep the log's order
    return [
        {"timestamp": timestamp(noted.time), "level": level, "message": message} for noted, level, message in entries
    ]


def _fact_entries(
    facts: Iterable[NotedFact], error: str | None, notes: Sequence[str]
) -> list[tuple[NotedFact, str, str]]:
    entries = []
    running = 0
    for fact in facts:
        sentence = _sentence(fact, running, error)
        if fact.name == "JobStarted":
            running = fact.data["number"]
        elif fact.name in ("JobReleased", "JobRetryScheduled"):
            running = 0
        if fact.name == "JobCompleted":
            entries += [(fact, "info", note) for note in notes]
        if sentence is not None:
            entries.append((fact, *sentence))
    return entries


def _sentence(fact: NotedFact, running: int, error: str | None) -> tuple[str, str] | None:
    """Return level and message of a fact; `running` is the number of the attempt that was running, or 0."""
    data = fact.data
    match fact.name:
        case "JobStarted" if running:
            return "warning", f"Attempt {running} lost its worker; attempt {data['number']} started"
        case "JobStarted":
            return "info", "Job started" if data["number"] == 1 else f"Attempt {data['number']} started"
        case "JobReleased":
            return "info", f"Attempt {running} was released ({data['reason']}) and will start again"
        case "JobRetryScheduled":
            why = error_sentence(data["error_code"])
            return "warning", f"Attempt {running} failed: {why} The next one follows in {data['delay_s']:.0f} s"
        case "JobCompleted":
            from_cache = " from the cache" if data.get("from_cache") else ""
            return "info", f"{COMPLETED}{from_cache}"
        case "JobFailed":
            return "error", error or error_sentence(data["error_code"])
        case "JobCancelled":
            return "warning", SENTENCES[ErrorCode.CANCELLED]
        case "JobErased":
            return "info", "The job's content was erased"
        case _:
            return None


def _failure_entry(failure: NotedFact) -> tuple[NotedFact, str, str]:
    data = failure.data
    if failure.name == "WebhookRedeliveryRequested":
        return failure, "info", f"Webhook ({data['phase']}) was requested again"
    again = f"; the next attempt is due at {data['next_attempt_at']}" if data.get("next_attempt_at") else ""
    given_up = " and was given up" if failure.name == "WebhookAbandoned" else ""
    return failure, "warning", f"Webhook ({data['phase']}) failed{given_up}: {delivery_reason(data)}{again}"
