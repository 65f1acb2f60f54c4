"""The interface of a processor: parameters and a `Workspace` in, a `Result` out. It uses neither log nor SQL.

A processor is a function `process(parameters, workspace, report) -> Result`, named by its job type. If its results may
be used again, it looks for an earlier one once it knows its input's content:

    if (earlier := workspace.recall(asked, without={"filename", "url"}, content=source.sha256())) is not None:
        return earlier
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeVar

from pydantic import TypeAdapter

from piperoll.addresses import Network
from piperoll.store.blobs import Blobs
from schemas.claims import Claim
from schemas.documents import Resolved
from schemas.job_types.parameters import JobParameters
from schemas.pages import FinishedPage
from services.worker.providers import Providers

T = TypeVar("T")

ALL_PAGES: Final = 0
"""The number of a step on all pages in `Workspace.resume`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a run's input: files under `roots` (resolved), of at most `max_bytes` and `max_pages`.

    The download of a `url` is limited by `fetch_timeout_s`; `networks` are private ones that it may reach. `for_media`
    are the limits of videos and audio files. `templates_dir` has the operator's templates. `ocr_languages` are
    Tesseract's names, such as `deu+eng`. `sync_max_removed` is the share of documents that a `sync` removes.
    """

    roots: tuple[Path, ...]
    max_bytes: int
    max_pages: int
    networks: tuple[Network, ...] = ()
    fetch_timeout_s: float = 120.0
    media_bytes: int = 2_000_000_000
    media_timeout_s: float = 1800.0
    templates_dir: Path | None = None
    ocr_languages: str = "deu+eng"
    sync_max_removed: float = 0.5

    def for_media(self) -> "Limits":
        """The same with the size and time limits of a video or audio file at a `url`."""
        return replace(self, max_bytes=self.media_bytes, fetch_timeout_s=self.media_timeout_s)


class RecallResult(Protocol):
    """Looks for the result of an earlier run of the same work, of the same owner (docs/contract/secretary.md#cache)."""

    def __call__(
        self, parameters: JobParameters, *, without: Collection[str] = (), **shaped_by: Any
    ) -> "Result | None":
        """The earlier result, its files copied to this run; None: do the work. Raises BlobStoreError.

        All parameters count except those in `without`, which only name the source. `shaped_by` is what else affects
        the result, as JSON: hashes of the content and of a template's text, versions, models. Obeys `use_cache` and
        `force_refresh`. Call it at most once per run, before any output is kept.
        """


def _nothing_kept(parameters: JobParameters, *, without: Collection[str] = (), **shaped_by: Any) -> None:
    """For a run without a cache."""


class ResumePage(Protocol):
    """Does the slow work on a page unless an earlier attempt of the job finished it (services.worker.run)."""

    def __call__(self, step: str, page: int, work: Callable[[], T | None], kind: TypeAdapter[T]) -> T | None:
        """The result of the step on the page, from 1, or on ALL_PAGES; a result of None is not kept.

        Only after `recall`, which determines whether it is the same work. Raises as `work`, and BlobStoreError.
        """


def _without_checkpoints(step: str, page: int, work: Callable[[], T | None], kind: TypeAdapter[T]) -> T | None:
    """For a run without checkpoints."""
    return work()


class FinishPage(Protocol):
    """Makes a finished page readable, at once or within a second (services.worker.run.publishing)."""

    def __call__(self, page: FinishedPage) -> None:
        """Pages in their order; one that is not after the last one is dropped. Only after `recall`."""


def _not_published(page: FinishedPage) -> None:
    """For a run whose pages are readable at its end alone."""


def _nothing_to_publish() -> None:
    """For the same."""


@dataclass(frozen=True)
class Workspace:
    """Input and output of a run: the blob store under `{job_id}/{run}/`, and a private folder on this disk.

    `resolved` is what the API knew of the documents that the job names, for job types that name any. `publish` makes
    the finished pages readable now: before work that may take long without a report.
    """

    job_id: str
    run: str
    owner: str
    attempt: int
    blobs: Blobs
    limits: Limits
    scratch: Path = field(repr=False)
    providers: Providers = field(default_factory=Providers, repr=False)
    recall: RecallResult = field(default=_nothing_kept, repr=False)
    resume: ResumePage = field(default=_without_checkpoints, repr=False)
    finish: FinishPage = field(default=_not_published, repr=False)
    publish: Callable[[], None] = field(default=_nothing_to_publish, repr=False)
    resolved: Resolved | None = field(default=None, repr=False)

    @cached_property
    def folder(self) -> Path:
        """The run's folder, created at its first use and removed after the run by the child's main loop."""
        self.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.scratch

    @property
    def target_dir(self) -> str:
        """The location of the run's outputs in results (docs/contract/secretary.md#results)."""
        return self.blobs.location(f"{self.job_id}/{self.run}")

    def keep(self, name: str, content: bytes, media_type: str) -> str:
        """Store an output under the relative `name`; return its location. Raises BlobStoreError."""
        return self.blobs.location(self.keep_claim(name, content, media_type).uri)

    def keep_claim(self, name: str, content: bytes, media_type: str) -> Claim:
        """As `keep`, for an output whose claim is in a fact. Raises BlobStoreError."""
        return self.blobs.put_named(f"{self.job_id}/{self.run}/{name}", content, media_type)

    def keep_file(self, name: str, path: Path, media_type: str) -> str:
        """As `keep`, for a file on this disk, in pieces. Raises BlobStoreError."""
        return self.blobs.location(self.keep_file_claim(name, path, media_type).uri)

    def keep_file_claim(self, name: str, path: Path, media_type: str) -> Claim:
        """As `keep_file`, for an output whose claim is in a fact. Raises BlobStoreError."""
        with path.open("rb") as file:
            return self.blobs.put_file(f"{self.job_id}/{self.run}/{name}", file, media_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a run (docs/contract/secretary.md#results), and numbers for the log.

    `extra` are further top-level keys of the result; `notes` are sentences for the job's `logs`. `files` are kept
    outputs with a name in the API, such as `pages_archive`: role -> name as in `keep`. A result that is not
    `cacheable` is not used again: it lacks a part that another attempt may add. `method` is the method, `counts` are
    numbers by name for lists (docs/contract/devana.md#metadata); `index` and `findings` are the claims of a
    FolderIndex and Findings (schemas.documents).
    """

    structured_data: Mapping[str, Any]
    assets: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    pages: int | None = None
    bytes_in: int | None = None
    cacheable: bool = True
    from_cache: bool = False
    method: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    index: Claim | None = None
    findings: Claim | None = None

    def renamed(self, metadata: Mapping[str, Any], **data: Any) -> "Result":
        """The result of the same content under another name: with other `metadata`, and other `data` added."""
        changed = {**data, "metadata": {**self.structured_data["metadata"], **metadata}}
        return replace(self, structured_data={**self.structured_data, **changed})

    def body(self, target_dir: str) -> dict[str, Any]:
        """The JSON object that clients get as `results`; one from the cache is marked."""
        body = {
            **self.extra,
            "structured_data": dict(self.structured_data),
            "assets": list(self.assets),
            "target_dir": target_dir,
        }
        if self.files:
            body["files"] = dict(self.files)
        if self.notes:
            body["notes"] = list(self.notes)
        if self.from_cache:
            body["process"] = {"is_from_cache": True}
        return body

    @classmethod
    def restored(
        cls,
        body: Mapping[str, Any],
        pages: int | None,
        bytes_in: int | None,
        method: str | None = None,
        counts: Mapping[str, int] | None = None,
    ) -> Self:
        """The result of an earlier run from its stored body, marked as from the cache."""
        parts = dict(body)
        del parts["target_dir"]
        return cls(
            structured_data=parts.pop("structured_data"),
            assets=tuple(parts.pop("assets")),
            files=parts.pop("files", {}),
            notes=tuple(parts.pop("notes", ())),
            extra=parts,
            pages=pages,
            bytes_in=bytes_in,
            from_cache=True,
            method=method,
            counts=counts or {},
        )


class ReportProgress(Protocol):
    """Reports progress: a step and a percent of docs/contract/secretary.md#steps; pages count from 1."""

    def __call__(
        self,
        step: str,
        percent: int,
        message: str | None = None,
        page: int | None = None,
        pages: int | None = None,
    ) -> None:
        """Never raises for its arguments; a percent below the last one is raised to it."""


class Processor(Protocol):
    """Does the work of one job type. Raises ProcessingError; any other exception counts as a PROCESSING_ERROR."""

    def __call__(self, parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
        """Run in a child process, which may be killed at any time."""
