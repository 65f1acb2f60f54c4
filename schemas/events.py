"""Every fact that Piperoll appends to its log: past tense, frozen, each with its writers.

These shapes are the contract with every subscriber. A field may be added if it has a default; any other change needs a
new version of the type, with an upcaster from the old one (`schemas.upcasters`). Producers are strict, consumers
ignore unknown fields. Content is never in an event: it is claim-checked (`schemas.claims`).
"""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.claims import Claim
from schemas.documents import CHUNK_SIZE, ChunkSize
from schemas.pages import PageRecords

Writer = Literal["api", "worker", "notifier"]

MAX_DELAY_S = 30 * 86400.0
"""The longest delay of a retry. Bounded, so that the fold cannot compute a time out of range."""


MOST_MEMBERS = 100_000
"""The most members of a batch: all of them are announced in one transaction of the projector."""


class Event(BaseModel):
    """Common to all events. The subject, the owner and the time are in the envelope."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: ClassVar[int] = 1
    writers: ClassVar[tuple[Writer, ...]] = ()

    @classmethod
    def type_name(cls) -> str:
        """The CloudEvents type, such as `piperoll.JobCreated.v1`."""
        return f"piperoll.{cls.__name__}.v{cls.version}"


# --- piperoll.jobs.events: the facts of a job, key job_id ---------------------------------------------------------


class JobCreated(Event):
    """A job was accepted. The first one of an id counts; the fold ignores a repeat."""

    writers = ("api", "worker")

    job_type: str
    parameters: Claim
    body_sha256: str = Field(description="of the canonical request, to distinguish a repeated key from a reused one")
    user_id: str | None = None
    target_id: str | None = None
    batch_id: str | None = None
    retry_of: str | None = None
    priority: int = Field(default=5, ge=0, le=9, description="9 is run before 0")
    timeout_s: int = Field(default=3600, ge=1, le=86400)
    max_attempts: int = Field(default=3, ge=1, le=10)
    has_webhook: bool = False
    work_sha256: str | None = Field(
        default=None, description="of all that affects the result; jobs with the same value share one result"
    )
    unchecked: bool = Field(
        default=False, description="the writer could not rule out that the id was used before: look it up first"
    )


class JobStarted(Event):
    """A worker claimed the job. Accepted only with the next attempt number; its run is then the current one."""

    writers = ("worker",)

    number: int = Field(ge=1)
    run: str
    worker: str


class JobProgress(Event):
    """Progress of the current run. One per step or 5 percent, and in a slow step one in some seconds."""

    writers = ("worker",)

    run: str
    sequence: int = Field(ge=1, description="1, 2, 3… within the run")
    step: str
    percent: int = Field(ge=0, le=100)
    page: int | None = None
    pages: int | None = None
    page_records: PageRecords | None = Field(
        default=None, description="where the finished pages are until the end; null: as before"
    )


class JobReleased(Event):
    """The run returned the job unfinished: its worker drained, lost the partition, or gave its slot to another owner
    (`rebalance` too). Not an attempt."""

    writers = ("worker",)

    run: str
    reason: Literal["drain", "rebalance"]


class JobRetryScheduled(Event):
    """The attempt failed, and another one may succeed. Due at the append time plus `delay_s`."""

    writers = ("worker",)

    run: str
    error_code: str
    delay_s: float = Field(ge=0, le=MAX_DELAY_S)
    details: Claim | None = None
    charged: bool = Field(
        default=True, description="whether it counts against the job's attempts; a fault of the installation does not"
    )


class JobCompleted(Event):
    """The run succeeded. The result names text, files and metadata; the numbers are for subscribers' filters."""

    writers = ("worker",)

    run: str
    result: Claim
    assets: int = Field(default=0, ge=0, description="number of files in the result")
    pages: int | None = None
    bytes_in: int | None = None
    duration_ms: int = Field(default=0, ge=0)
    from_cache: bool = False
    method: str | None = Field(default=None, description="the method: an extraction method, or a model's name")
    counts: dict[str, int] = Field(default={}, description="further numbers by name, such as totalChunks")
    index: Claim | None = Field(default=None, description="the chunks and vectors of an embedding run")


class JobFailed(Event):
    """The run failed permanently."""

    writers = ("worker",)

    run: str
    error_code: str
    details: Claim | None = None
    duration_ms: int = Field(default=0, ge=0)


class JobCancelled(Event):
    """A client cancelled the job, or it could not be created. Counts only if no other terminal event precedes it."""

    writers = ("api", "worker")

    by: str = Field(description="the owner of the requesting key")
    reason: str | None = Field(default=None, max_length=64, description="a code, not prose")


class JobErased(Event):
    """All that the job read and made is to be deleted. Ends the job if it was still open."""

    writers = ("api", "worker")

    by: str
    reason: str | None = Field(default=None, max_length=64)
    parameters: Claim | None = Field(
        default=None, description="of the job, if the writer knows it: readers may not keep that of an ended job"
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
    unchecked: bool = Field(default=False, description="as in JobCreated")


class BatchExpanded(Event):
    """The process manager appended JobCreated for every member of the batch."""

    writers = ("worker",)

    count: int = Field(ge=1)


class BatchErased(Event):
    """The batch's name and member specs are to be deleted. Follows the JobErased of each of its members."""

    writers = ("api",)

    by: str
    reason: str | None = Field(default=None, max_length=64)


# --- piperoll.jobs.deliveries: the outcomes of webhooks, key job_id --------------------------------------------

Phase = Literal["processing", "completed", "error", "status"]
"""The occasion of a webhook; `status` is a change of status sent to a registered endpoint."""


class _Delivery(Event):
    """Common to the facts about a webhook."""

    delivery_id: str
    phase: Phase
    endpoint_id: str | None = Field(default=None, description="the registered endpoint; null for the job's webhook")
    change: int | None = Field(default=None, description="number of the job's accepted fact that changed the status")
    request: str | None = Field(default=None, description="the WebhookRedeliveryRequested that it belongs to")


class WebhookDelivered(_Delivery):
    """The receiver answered 2xx."""

    writers = ("notifier",)

    attempt: int = Field(ge=1)
    status: int
    duration_ms: int = Field(ge=0)


class WebhookFailed(_Delivery):
    """One attempt failed. The next one is at `next_attempt_at`; null for a progress webhook, which has none."""

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
        description="a code: EXHAUSTED, GONE, BLOCKED_ADDRESS, TOO_OLD, UNREADABLE, REMOVED, ERASED, FORGOTTEN, LOST"
    )
    status: int | None = None
    origin_sha256: str | None = Field(
        default=None, description="of scheme://host:port, the receiver of a job's webhook; addresses are not in the log"
    )


class WebhookRedeliveryRequested(Event):
    """A client requested a job's final webhook again, under its own delivery id, whatever its outcome was.

    The facts that follow have its `request`. It does not count while an earlier one is open, nor does a repeat.
    """

    writers = ("api",)

    request: str = Field(description="drawn for each request")
    delivery_id: str
    phase: Literal["completed", "error"]
    by: str = Field(description="the owner of the requesting key")


# --- piperoll.documents.events: documents and folders, key document_id or folder_id -------------------------------


class DocumentAdded(Event):
    """A document, or new content of it, was taken in. Its text is that of its newest extraction.

    The fold ignores a repeat of the same version; another version replaces the content and the details.
    """

    writers = ("api", "worker")

    content: Claim
    details: Claim = Field(description="its name, and where it came from: schemas.documents.DocumentDetails")
    revision: str = Field(description="of the content at its source: a hash, an ETag")
    user_id: str | None = None
    job_id: str | None = Field(default=None, description="the job that took it in")


class DocumentRemoved(Event):
    """The document is to be deleted, with its content and all that was made of it. Final: nothing restores it."""

    writers = ("api", "worker")

    by: str
    reason: str | None = Field(default=None, max_length=64)


class FolderCreated(Event):
    """A folder was created. The first one of an id counts."""

    writers = ("api",)

    details: Claim = Field(description="its name and description: schemas.documents.FolderDetails")
    chunk_size: ChunkSize = Field(default=CHUNK_SIZE, description="characters of a chunk in the index")
    user_id: str | None = None


class FolderChanged(Event):
    """A folder has a new name, description or chunk size; an absent field is unchanged."""

    writers = ("api",)

    by: str
    details: Claim | None = None
    chunk_size: ChunkSize | None = None


class FolderRemoved(Event):
    """The folder was removed. Its documents remain."""

    writers = ("api",)

    by: str


class FolderMembersChanged(Event):
    """Documents were added to a folder or removed from it. A document may be in several folders."""

    writers = ("api", "worker")

    added: tuple[str, ...]
    removed: tuple[str, ...] = ()
    job_id: str | None = Field(default=None, description="the job that changed the members")


# --- piperoll.endpoints.events: the registered webhook endpoints of owners, key endpoint_id ------------------------


class EndpointRegistered(Event):
    """From now on, an endpoint receives each change of status of its owner's jobs."""

    writers = ("api",)

    settings: Claim = Field(description="its address and sealed secrets: schemas.documents.EndpointSettings")
    statuses: tuple[str, ...] = Field(default=(), description="of the Devana API, such as DONE; empty: every one")
    user_id: str | None = None


class EndpointTested(Event):
    """A client requested a test delivery."""

    writers = ("api",)

    by: str


class EndpointRemoved(Event):
    """The endpoint receives nothing more; its settings are to be deleted."""

    writers = ("api",)

    by: str


# --- piperoll.audit: who had access, key key_id; the owner is the key's ---------------------------------------------


class KeyChanged(Event):
    """An API key was created, rotated or revoked."""

    writers = ("api",)

    action: Literal["created", "rotated", "revoked"]
    by: str = Field(description="the key that the request came with, or `piperoll keys` for the command")
    scopes: tuple[str, ...] = ()
    ends_at: datetime | None = None
    replaced_by: str | None = Field(default=None, description="the new key of a rotation")


class AccessedItem(BaseModel):
    """How often a route answered about one thing; `id` is null for lists."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    route: str
    id: str | None = None
    times: int = Field(default=1, ge=1)


class ContentAccessed(Event):
    """A key read or erased content in some minutes, which end at the time of the fact."""

    writers = ("api",)

    action: Literal["read", "erased"]
    since: datetime
    items: tuple[AccessedItem, ...]
    unlisted: int = Field(default=0, ge=0, description="requests about further things")


class RedriveRequested(Event):
    """A key had the parked records of one key of a topic put back. The fact is appended before they are."""

    writers = ("api",)

    topic: str
    position: str = Field(description="of the parked record that was named, such as 3:120")


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
AUDIT_EVENTS: tuple[type[Event], ...] = (KeyChanged, ContentAccessed, RedriveRequested)
EVENTS: dict[str, type[Event]] = {
    event.__name__: event
    for event in (*JOB_EVENTS, *BATCH_EVENTS, *DELIVERY_EVENTS, *DOCUMENT_EVENTS, *ENDPOINT_EVENTS, *AUDIT_EVENTS)
}
"""Every event by its bare name; the version is in the type name."""
