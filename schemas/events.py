"""Every fact that Piperoll appends to its log: past tense, frozen, each naming who writes it.

These shapes are the contract with every subscriber. A field may be added when it has a default; anything else is
a new version of the type, with an upcaster from the old one (`schemas.upcasters`). Producers are strict, consumers
ignore fields they do not know. Content never stands here: it is claim-checked (`schemas.claims`).
"""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.claims import Claim

Writer = Literal["api", "worker", "notifier"]

MAX_DELAY_S = 30 * 86400.0
"""The longest delay a retry may have. Bounded, so that no fact can make the fold compute a time that there is not."""


class Event(BaseModel):
    """What every event shares. The subject, the owner and the time stand in the envelope."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: ClassVar[int] = 1
    writers: ClassVar[tuple[Writer, ...]] = ()

    @classmethod
    def type_name(cls) -> str:
        """The CloudEvents type, such as `piperoll.JobCreated.v1`."""
        return f"piperoll.{cls.__name__}.v{cls.version}"


# --- piperoll.jobs.events: the facts of a job, key job_id ---------------------------------------------------------


class JobCreated(Event):
    """A job was accepted. The first one of an id counts; a repeat is ignored by the fold."""

    writers = ("api", "worker")

    job_type: str
    parameters: Claim
    body_sha256: str = Field(description="of the canonical request, to tell a repeated key from a reused one")
    user_id: str | None = None
    target_id: str | None = None
    batch_id: str | None = None
    retry_of: str | None = None
    priority: int = Field(default=5, ge=0, le=9, description="9 runs before 0")
    timeout_s: int = Field(default=3600, ge=1, le=86400)
    max_attempts: int = Field(default=3, ge=1, le=10)
    has_webhook: bool = False
    work_sha256: str | None = Field(
        default=None, description="of what shapes the result; a job that has one takes an equal job's result"
    )


class JobStarted(Event):
    """A worker claimed the job. Accepted only with the next number; then its run is the current one."""

    writers = ("worker",)

    number: int = Field(ge=1)
    run: str
    worker: str


class JobProgress(Event):
    """The current run came further. One per step or 5 percent, at most 30 a run."""

    writers = ("worker",)

    run: str
    sequence: int = Field(ge=1, description="1, 2, 3… within the run")
    step: str
    percent: int = Field(ge=0, le=100)
    page: int | None = None
    pages: int | None = None


class JobReleased(Event):
    """The run gave the job back unfinished, because its worker drained or lost the partition. Charges nothing."""

    writers = ("worker",)

    run: str
    reason: Literal["drain", "rebalance"]


class JobRetryScheduled(Event):
    """The attempt failed in a way that may pass. Due at the append time plus `delay_s`."""

    writers = ("worker",)

    run: str
    error_code: str
    delay_s: float = Field(ge=0, le=MAX_DELAY_S)
    details: Claim | None = None


class JobCompleted(Event):
    """The run succeeded. The result names text, files and metadata; the numbers are for subscribers' filters."""

    writers = ("worker",)

    run: str
    result: Claim
    assets: int = Field(default=0, ge=0, description="how many files the result lists")
    pages: int | None = None
    bytes_in: int | None = None
    duration_ms: int = Field(default=0, ge=0)
    from_cache: bool = False
    method: str | None = Field(default=None, description="how it was done: an extraction method, a model's name")
    counts: dict[str, int] = Field(default={}, description="further numbers by name, such as totalChunks")
    index: Claim | None = Field(default=None, description="the chunks and vectors that an embedding run made")


class JobFailed(Event):
    """The run failed for good."""

    writers = ("worker",)

    run: str
    error_code: str
    details: Claim | None = None
    duration_ms: int = Field(default=0, ge=0)


class JobCancelled(Event):
    """Somebody asked for the job to stop. Wins only if no other terminal event stands before it."""

    writers = ("api",)

    by: str = Field(description="the owner of the key that asked")
    reason: str | None = Field(default=None, max_length=64, description="a code, not prose")


class JobErased(Event):
    """Everything the job read and made is to be deleted. Ends the job where it was still open."""

    writers = ("api", "worker")

    by: str
    reason: str | None = Field(default=None, max_length=64)
    parameters: Claim | None = Field(
        default=None, description="of the job, where the writer knows it: readers may have forgotten an ended job's"
    )


# --- piperoll.jobs.events: the facts of a batch, key batch_id -----------------------------------------------------


class BatchCreated(Event):
    """Many jobs were accepted in one record. Its members get deterministic ids (`schemas.ids.member_id`)."""

    writers = ("api",)

    count: int = Field(ge=1)
    specs: Claim = Field(description="the list of members: job_type, parameters and counters of each")
    body_sha256: str
    name: Claim | None = None
    user_id: str | None = None


class BatchExpanded(Event):
    """The process manager appended JobCreated for every member of the batch."""

    writers = ("worker",)

    count: int = Field(ge=1)


class BatchErased(Event):
    """The batch's name and member specs are to be deleted. Stands after the JobErased of each of its members."""

    writers = ("api",)

    by: str
    reason: str | None = Field(default=None, max_length=64)


# --- piperoll.jobs.deliveries: what became of the webhooks, key job_id --------------------------------------------

Phase = Literal["processing", "completed", "error", "status"]
"""What a hook tells of; `status` is a change of status that a registered endpoint is told of."""


class _Delivery(Event):
    """What the facts about a hook share."""

    delivery_id: str
    phase: Phase
    endpoint_id: str | None = Field(default=None, description="the registered endpoint; none for the job's own webhook")
    change: int | None = Field(default=None, description="which of the job's accepted facts changed the status so")
    request: str | None = Field(default=None, description="the WebhookRedeliveryRequested that it belongs to")


class WebhookDelivered(_Delivery):
    """The receiver answered 2xx."""

    writers = ("notifier",)

    attempt: int = Field(ge=1)
    status: int
    duration_ms: int = Field(ge=0)


class WebhookFailed(_Delivery):
    """One attempt failed; another follows at `next_attempt_at`, none for a progress hook (null)."""

    writers = ("notifier",)

    attempt: int = Field(ge=1)
    reason: str = Field(description="a code: HTTP_STATUS, TIMEOUT, CONNECTION, TLS, NAME_NOT_FOUND")
    status: int | None = None
    duration_ms: int = Field(ge=0)
    next_attempt_at: str | None = None


class WebhookAbandoned(_Delivery):
    """No further attempt will be made: the schedule ended, the receiver answered 410, or its address is blocked."""

    writers = ("notifier",)

    attempt: int = Field(ge=0)
    reason: str = Field(
        description="a code: EXHAUSTED, GONE, BLOCKED_ADDRESS, TOO_OLD, UNREADABLE, REMOVED, ERASED, FORGOTTEN"
    )
    status: int | None = None
    origin_sha256: str | None = Field(
        default=None, description="of scheme://host:port, the receiver of a job's own webhook; addresses are no facts"
    )


class WebhookRedeliveryRequested(Event):
    """Somebody asked for a job's final hook to be sent again, under its own delivery id, whatever became of it.

    What follows from it bears its `request`. It does not count while an earlier one is open, nor does a repeat.
    """

    writers = ("api",)

    request: str = Field(description="drawn for each request")
    delivery_id: str
    phase: Literal["completed", "error"]
    by: str = Field(description="the owner of the key that asked")


# --- piperoll.documents.events: documents and folders, key document_id or folder_id -------------------------------


class DocumentAdded(Event):
    """A document, or another content of it, was taken in. Its text is what its newest extraction says.

    A repeat of the same version is ignored by the fold; another version replaces the content and the details.
    """

    writers = ("api", "worker")

    content: Claim
    details: Claim = Field(description="its name, and where it came from: schemas.documents.DocumentDetails")
    revision: str = Field(description="of the content at its source: a hash, an ETag")
    user_id: str | None = None
    job_id: str | None = Field(default=None, description="the job that took it in")


class DocumentRemoved(Event):
    """The document is to be deleted, with its content and what was made of it. Ends it; nothing brings it back."""

    writers = ("api", "worker")

    by: str
    reason: str | None = Field(default=None, max_length=64)


class FolderCreated(Event):
    """A folder was made. The first one of an id counts."""

    writers = ("api",)

    details: Claim = Field(description="its name and description: schemas.documents.FolderDetails")
    chunk_size: int = Field(default=500, ge=50, le=8000, description="characters of a chunk when it is indexed")
    user_id: str | None = None


class FolderChanged(Event):
    """A folder has another name, description or chunk size; what is absent stays."""

    writers = ("api",)

    by: str
    details: Claim | None = None
    chunk_size: int | None = Field(default=None, ge=50, le=8000)


class FolderRemoved(Event):
    """The folder is gone. Its documents stay."""

    writers = ("api",)

    by: str


class FolderMembersChanged(Event):
    """Documents came into a folder or left it. A document may be in several."""

    writers = ("api", "worker")

    added: tuple[str, ...]
    removed: tuple[str, ...] = ()
    job_id: str | None = Field(default=None, description="the job that did it")


# --- piperoll.endpoints.events: who wants to be told of an owner's jobs, key endpoint_id --------------------------


class EndpointRegistered(Event):
    """An endpoint is told of each change of status of its owner's jobs, from now on."""

    writers = ("api",)

    settings: Claim = Field(description="its address and sealed secrets: schemas.documents.EndpointSettings")
    statuses: tuple[str, ...] = Field(default=(), description="of the Devana API, such as DONE; empty: every one")
    user_id: str | None = None


class EndpointTested(Event):
    """Somebody asked for a trial delivery."""

    writers = ("api",)

    by: str


class EndpointRemoved(Event):
    """The endpoint is told nothing more; its settings are to be deleted."""

    writers = ("api",)

    by: str


JOB_EVENTS: tuple[type[Event], ...] = (
    JobCreated,
    JobStarted,
    JobProgress,
    JobReleased,
    JobRetryScheduled,
    JobCompleted,
    JobFailed,
    JobCancelled,
    JobErased,
)
BATCH_EVENTS: tuple[type[Event], ...] = (BatchCreated, BatchExpanded, BatchErased)
DELIVERY_EVENTS: tuple[type[Event], ...] = (
    WebhookDelivered,
    WebhookFailed,
    WebhookAbandoned,
    WebhookRedeliveryRequested,
)
DOCUMENT_EVENTS: tuple[type[Event], ...] = (
    DocumentAdded,
    DocumentRemoved,
    FolderCreated,
    FolderChanged,
    FolderRemoved,
    FolderMembersChanged,
)
ENDPOINT_EVENTS: tuple[type[Event], ...] = (EndpointRegistered, EndpointTested, EndpointRemoved)
EVENTS: dict[str, type[Event]] = {
    event.__name__: event
    for event in (*JOB_EVENTS, *BATCH_EVENTS, *DELIVERY_EVENTS, *DOCUMENT_EVENTS, *ENDPOINT_EVENTS)
}
"""Every event by its bare name; the version stands in the type name."""
