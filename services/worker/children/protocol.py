"""The messages between a worker and its child processes: frozen, one JSON object per line.

The worker sends `Setup` once and an `Assignment` for each job; the child answers `Ready` once, any number of
`RunProgress`, and one `Done` for each assignment.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from schemas.claims import Claim
from schemas.errors import ErrorCode
from schemas.fields import ONE_LINE
from schemas.pages import PageRecords
from services.worker.confinement.confine import Measure
from services.worker.providers.setup import ProviderSetup
from services.worker.run.page_care import PageStep

MESSAGE_CHARS = 1000
"""The maximum length of a child's message for a client: enough for a person, too short for content."""
STEP_CHARS = 100
"""The maximum length of a step's name."""
MOST = 2**53 - 1
"""The largest number that a run reports: every JSON reader has it exactly, and Postgres has a column for it."""
MOST_PAGES = 2**31 - 1
TYPE_CHARS = 200
"""The maximum length of the name of an error's class."""
TRACE_CHARS = 20_000
"""The maximum length of a traceback that a child sends for the service's log."""


class Message(BaseModel):
    """Common to all messages."""

    model_config = ConfigDict(frozen=True)

    def line(self) -> bytes:
        """The message as a line on the socket. JSON escapes line ends, so a line is a whole message."""
        return self.model_dump_json().encode() + b"\n"


class Setup(Message):
    """The settings of a child. Its sandboxes get what they need of them (`errands.Preparation`)."""

    blob_url: str
    marked: bool = Field(default=False, description="whether the blob store must have its marker")
    roots: tuple[str, ...] = Field(description="resolved folders that `filename` may name")
    max_pages: int
    max_bytes: int
    memory_bytes: int = Field(description="address space that the child may use, everything included")
    work_dir: str = Field(description="the folder of the runs' folders, each named by its run")
    networks: tuple[str, ...] = Field(default=(), description="private networks that a `url` may lead to")
    fetch_timeout_s: float = Field(default=120.0, gt=0, description="for the whole of a `url`")
    media_bytes: int = Field(default=2_000_000_000, ge=1, description="of a video or audio file behind a url")
    media_timeout_s: float = Field(default=1800.0, gt=0, description="for the whole of one")
    templates_dir: str = Field(default="", description="the operator's own templates; empty: none")
    ocr_languages: str = Field(default="deu+eng", description="of Tesseract")
    sync_max_removed: float = 0.5
    providers: ProviderSetup = ProviderSetup()
    cache_ttls_s: dict[str, float] = Field(default={}, description="the maximum age of a cached result, by job type")
    confined: bool = Field(default=True, description="whether the sandboxes confine themselves")
    environment: dict[str, str] = Field(default={}, repr=False, description="variables of object stores and proxies")
    credential_files: tuple[str, ...] = Field(default=(), description="of object stores that jobs may name")

    def for_sandbox(self, network: bool) -> "Setup":
        """The same without what a sandbox does not need: store, cache, environment, and keys if it has no network."""
        none = {"mistral_key": "", "chat_key": "", "chat_url": ""}
        providers = self.providers if network else self.providers.model_copy(update=none)
        files = self.credential_files if network else ()
        hidden = {
            "credential_files": files,
            "blob_url": "",
            "work_dir": "",
            "environment": {},
            "cache_ttls_s": {},
            "providers": providers,
        }
        return self.model_copy(update=hidden)


class Assignment(Message):
    """One run of one job."""

    job_id: str
    run: str
    owner: str
    job_type: str
    parameters: Claim
    attempt: int = Field(ge=1)
    timeout_s: float = Field(gt=0)
    skipped: tuple[PageStep, ...] = Field(default=(), description="what ended earlier children of this run")


class Ready(Message):
    """The child has imported everything and waits for work. `measures` confine its sandboxes."""

    kind: Literal["ready"] = "ready"
    measures: tuple[Measure, ...] = ()


class RunProgress(Message):
    """Progress of the run (docs/contract/secretary.md#steps). Percent never decreases within a run."""

    kind: Literal["progress"] = "progress"
    step: str = Field(max_length=STEP_CHARS, pattern=ONE_LINE)
    percent: int = Field(ge=0, le=100)
    message: str | None = Field(default=None, max_length=MESSAGE_CHARS)
    page: int | None = Field(default=None, ge=0, le=MOST_PAGES)
    pages: int | None = Field(default=None, ge=0, le=MOST_PAGES)
    page_records: PageRecords | None = None


class Completed(Message):
    """The run succeeded; its result is in the blob store."""

    outcome: Literal["completed"] = "completed"
    result: Claim
    assets: int = Field(ge=0, description="number of files in the result")
    pages: int | None = None
    bytes_in: int | None = None
    duration_ms: int = Field(ge=0)
    from_cache: bool = False
    method: str | None = None
    counts: dict[str, int] = {}
    index: Claim | None = Field(default=None, description="a schemas.documents.FolderIndex")
    findings: Claim | None = Field(default=None, description="a schemas.documents.Findings, for the worker")
    page_checkpoints: bool = Field(default=False, description="whether the job has any, which are then to be deleted")


class Failed(Message):
    """The run failed. `retryable` is whether another attempt may succeed (`schemas.errors.RETRYABLE`)."""

    outcome: Literal["failed"] = "failed"
    code: ErrorCode
    message: str = Field(max_length=MESSAGE_CHARS)
    error_type: str = Field(
        max_length=TYPE_CHARS, description="the name of the error's class; `Exit` for a process that ended"
    )
    retryable: bool
    retry_after_s: float | None = Field(default=None, ge=0, description="the minimum wait that the server requested")
    own_fault: bool = Field(default=False, description="whether a fault of the installation ended it, not the job")
    duration_ms: int = Field(ge=0)


Outcome = Completed | Failed


class Done(Message):
    """The end of an assignment, with values for the worker only."""

    kind: Literal["done"] = "done"
    end: Annotated[Outcome, Field(discriminator="outcome")]
    rss_bytes: int = Field(ge=0, description="resident memory of the child after the run")
    trace: str = Field(default="", max_length=TRACE_CHARS, description="for the log, never for a client")
    spent: bool = Field(default=False, description="whether the child must be replaced")


Answer = Annotated[Ready | RunProgress | Done, Field(discriminator="kind")]
ANSWERS: TypeAdapter[Ready | RunProgress | Done] = TypeAdapter(Answer)
"""Reads a child's line: `ANSWERS.validate_json(line)`; raises pydantic's ValidationError."""
