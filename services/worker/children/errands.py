"""The messages between a child and its sandboxes (`channel`).

A sandbox is a process that a child forked: it is confined, and runs processors. It asks the child for all that it may
not do itself. The child sends `Preparation` once and a `Task` for each run, and answers each `StoreErrand` and
`RecallErrand`; the sandbox sends `Prepared` once, any number of RunProgress and errands, and one `Finished`.

What a sandbox sends becomes part of facts, which have a largest size and are written to Postgres: so each value has
bounds, and a sandbox that exceeds them ends its run.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from schemas.claims import Claim
from schemas.fields import ONE_LINE
from services.worker.children.protocol import MOST, MOST_PAGES, TRACE_CHARS, Failed, RunProgress, Setup
from services.worker.confinement.confine import Measure
from services.worker.run.page_care import PageStep

Number = Annotated[int, Field(ge=0, le=MOST)]
CountName = Annotated[str, Field(max_length=100, pattern=ONE_LINE)]
MEDIA_TYPE_CHARS = 255
METHOD_CHARS = 500


class Errand(BaseModel):
    """Common to all of these messages."""

    model_config = ConfigDict(frozen=True)


class Preparation(Errand):
    """What a sandbox needs for all its runs. `setup` has no more than it needs: no store, keys only with `network`."""

    setup: Setup
    folder: str = Field(description="its own, for the files that it writes")
    inputs: str = Field(description="the folder of the blobs that it may read")
    network: bool
    confined: bool
    environment: dict[str, str]
    store: str = Field(description="the blob store's root on this disk, else its URL: for the locations in results")


class Task(Errand):
    """One run."""

    job_id: str
    run: str
    owner: str
    job_type: str
    attempt: int
    skipped: tuple[PageStep, ...] = ()
    parameters: dict[str, Any]
    resolved: Any = None
    environment: dict[str, str] = Field(default={}, description="of the object stores that a job of this type names")


class Prepared(Errand):
    """The sandbox is confined and waits for a task."""

    kind: Literal["prepared"] = "prepared"
    measures: tuple[Measure, ...] = ()


class StoreErrand(Errand):
    """A call of the blob store. `put` has the content as payload; `put_file` and `fetch` come with an open file."""

    kind: Literal["store"] = "store"
    call: Literal["get", "size", "names", "link", "fetch", "put", "put_file", "delete"]
    uris: tuple[str, ...]
    media_type: str | None = Field(default=None, max_length=MEDIA_TYPE_CHARS, pattern=ONE_LINE)


class RecallErrand(Errand):
    """Looks for an earlier result in the cache."""

    kind: Literal["recall"] = "recall"
    key: str = Field(pattern=r"^[0-9a-f]{64}$")


Problem = Literal["missing", "mismatch", "unreadable", "store", "memory", "refused", "file"]
"""`file`: the open file of the errand cannot be read or written; `number` is the error number."""


class Answer(Errand):
    """The answer to an errand; a content or a result is its payload."""

    problem: Problem | None = None
    text: str = ""
    claim: Claim | None = None
    number: int = 0
    names: tuple[str, ...] = ()


class Finished(Errand):
    """The end of a run: the parts of a Completed with the result's body as payload, or a failure."""

    kind: Literal["finished"] = "finished"
    failed: Failed | None = None
    trace: str = Field(default="", max_length=TRACE_CHARS)
    rss_bytes: Number = 0
    assets: int = Field(default=0, ge=0, le=MOST_PAGES)
    pages: int | None = Field(default=None, ge=0, le=MOST_PAGES)
    bytes_in: Number | None = None
    from_cache: bool = False
    cacheable: bool = True
    method: str | None = Field(default=None, max_length=METHOD_CHARS, pattern=ONE_LINE)
    counts: dict[CountName, Number] = Field(default={}, max_length=100)
    index: Claim | None = None
    findings: Claim | None = None
    page_checkpoints: bool = False


Said = Annotated[Prepared | RunProgress | StoreErrand | RecallErrand | Finished, Field(discriminator="kind")]
SAID: TypeAdapter[Prepared | RunProgress | StoreErrand | RecallErrand | Finished] = TypeAdapter(Said)
"""Reads a sandbox's message; raises pydantic's ValidationError."""
