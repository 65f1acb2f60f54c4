"""Jobs and batches."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from piperoll.client.views.base import View

TERMINAL = frozenset({"completed", "failed"})
CANCELLED = "CANCELLED"
TEXTS = ("extracted_text", "transformed_text", "markdown_content", "text")
"""Where the text of a result is, by job type."""


class ProgressView(View):
    """How far a job is: `percent` never falls; `page` of `pages` while a page is read."""

    step: str = ""
    percent: int = 0
    message: str = ""
    page: int | None = None
    pages: int | None = None


class ErrorView(View):
    """Why a job failed."""

    code: str
    message: str
    details: Mapping[str, Any] = Field(default_factory=dict)


class LogLine(View):
    """A line of a job's log."""

    timestamp: datetime
    level: str
    message: str


class EtaView(View):
    """When a job or batch will end, as it was expected at the time of the answer; `seconds` from then."""

    time: datetime
    seconds: float


class JobView(View):
    """A job. The answer to a creation has its id, type, status, parameters and time alone; a list has no results and
    logs, and a stream of the owner has no parameters either."""

    job_id: str
    job_type: str
    status: str
    created_at: datetime
    updated_at: datetime | None = None
    parameters: Mapping[str, Any] = Field(default_factory=dict)
    progress: ProgressView | None = None
    eta: EtaView | None = None
    results: Mapping[str, Any] | None = None
    logs: Sequence[LogLine] = ()
    error: ErrorView | None = None
    job_name: str | None = None
    user_id: str | None = None
    target_id: str | None = None
    batch_id: str | None = None
    retry_of: str | None = None
    attempt: int = 0
    is_from_cache: bool = False
    processing_started_at: datetime | None = None
    completed_at: datetime | None = None
    deleted: bool = False

    @property
    def ended(self) -> bool:
        """Whether it completed, failed or was cancelled."""
        return self.status in TERMINAL

    @property
    def completed(self) -> bool:
        """Whether it completed."""
        return self.status == "completed"

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.error is not None and self.error.code == CANCELLED

    @property
    def data(self) -> Mapping[str, Any]:
        """The result's `structured_data`; empty without a result."""
        data = (self.results or {}).get("structured_data")
        return data if isinstance(data, Mapping) else {}

    @property
    def text(self) -> str:
        """The text of the result; empty without one."""
        places = (self.data, self.results or {})
        return next((str(place[name]) for place in places for name in TEXTS if place.get(name)), "")

    @property
    def markdown(self) -> bool:
        """Whether `text` is Markdown: filled from a template, or by a reader that keeps headings and tables."""
        if not self.data.get("extracted_text"):
            return bool(self.data.get("transformed_text") or (self.results or {}).get("markdown_content"))
        method = str((self.data.get("metadata") or {}).get("extraction_method") or "")
        return any(url.endswith("/text.md") for url in self.asset_urls) or "mistral" in method or "llm" in method

    @property
    def asset_urls(self) -> Sequence[str]:
        """The paths of the files that the job wrote, as `download` takes them."""
        return tuple(url for url in (self.results or {}).get("asset_urls") or () if url)


class MemberView(View):
    """A job of a batch; a new batch has whole jobs, whose further fields are in `model_extra`."""

    job_id: str
    status: str


class BatchView(View):
    """A batch and its counts. A cancelled job counts as failed. Lists have no `jobs`."""

    batch_id: str
    batch_name: str = ""
    status: str
    job_count: int = 0
    completed_count: int = 0
    failed_count: int = 0
    pending_jobs: int = 0
    processing_jobs: int = 0
    eta: EtaView | None = None
    jobs: Sequence[MemberView] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None
    completed_at: datetime | None = None
    user_id: str | None = None

    @property
    def ended(self) -> bool:
        """Whether each of its jobs has ended."""
        return self.completed_count + self.failed_count >= self.job_count

    @property
    def job_ids(self) -> Sequence[str]:
        """The ids of its jobs, in the order of their creation."""
        return tuple(member.job_id for member in self.jobs)


class SecondsView(View):
    """Within `p50` half of such jobs end, within `p90` nine of ten."""

    p50: float
    p90: float


class QueueAheadView(View):
    """The jobs that go before a new one, and how long these take; None if that was not measured."""

    jobs_before: int = 0
    wait_s: float | None = None


class EstimateView(View):
    """What a job would take. What is None is not known, and `notes` has the reason; `problem` is why it would fail.

    `basis` is measured, similar or none: jobs of the same method, others of the same type, or too few of both.
    """

    job_type: str
    pages: int | None = None
    pages_with_text: int | None = None
    pages_without_text: int | None = None
    pages_looked_at: int | None = None
    seconds: SecondsView | None = None
    basis: str = "none"
    measured_jobs: int = 0
    queue: QueueAheadView = QueueAheadView()
    problem: ErrorView | None = None
    notes: Sequence[str] = ()


class FactView(View):
    """A fact of a job's history. `sequence` counts from 1 without gaps, `position` is its place in the log."""

    sequence: int
    position: str
    type: str
    time: datetime
    data: Mapping[str, Any] = Field(default_factory=dict)


class AttemptView(View):
    """An attempt at a webhook, or a request for a redelivery. `reason` is why it failed."""

    time: datetime
    outcome: str
    delivery_id: str = ""
    phase: str = ""
    attempt: int = 0
    status: int | None = None
    duration_ms: int | None = None
    reason: str | None = None
    endpoint_id: str | None = None


class RedeliveryView(View):
    """The webhooks that were held or given up at a receiver: `count` are sent again, `left` need another call."""

    count: int
    left: int = 0
    dry_run: bool = True


class JobEvent(View):
    """An event of a job's stream. `name` is pending, progress, completed or error; `percent` of a running job."""

    name: str
    event_id: str = ""
    phase: str = ""
    message: str = ""
    data: Mapping[str, Any] | None = None
    error: ErrorView | None = None

    @property
    def percent(self) -> int | None:
        """The percent of a job that has not ended."""
        progress = (self.data or {}).get("progress")
        return progress if self.name in ("pending", "progress") and isinstance(progress, int) else None

    @property
    def ended(self) -> bool:
        """Whether no event follows."""
        return self.name in ("completed", "error")


class OwnerEvent(View):
    """An event of the owner's stream. `name` is open, job or batch; `event_id` resumes the stream after it."""

    name: str
    event_id: str = ""
    job: JobView | None = None
    batch: BatchView | None = None
