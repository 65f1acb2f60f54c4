"""What a processor is: parameters -> result, told about its run by a `Workspace`, knowing neither log nor SQL.

A processor is a function `process(parameters, workspace, report) -> Result`; its job type declares where it stands.

One whose results may be used again asks for an earlier one as soon as it knows its input's content:

    if (earlier := workspace.recall(asked, without={"filename", "url"}, content=source.sha256())) is not None:
        return earlier
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, Self

from piperoll.addresses import Network
from piperoll.store.blobs import Blobs
from schemas.claims import Claim
from schemas.documents import Resolved
from schemas.job_types.parameters import JobParameters
from services.worker.providers import Providers


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may read: files under `roots` (resolved), of at most `max_bytes` and `max_pages`.

    A `url` is fetched within `fetch_timeout_s` in all; `networks` are private ones that it may lead to. For videos and
    audio files `for_media` has bounds of their own.
    `templates_dir` holds the operator's own templates. `ocr_languages` are Tesseract's names, such as `deu+eng`.
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

    def for_media(self) -> "Limits":
        """The same with the size and time that a video or audio file behind a `url` may take."""
        return replace(self, max_bytes=self.media_bytes, fetch_timeout_s=self.media_timeout_s)


class RecallResult(Protocol):
    """Looks for the result of an earlier run of the same work, of the same owner (contract 10)."""

    def __call__(
        self, parameters: JobParameters, *, without: Collection[str] = (), **shaped_by: Any
    ) -> "Result | None":
        """The earlier result, its files copied to this run; None: do the work, and what comes of it is kept.

        All parameters count but those of `without`, which only say where content came from. `shaped_by` is what
        shapes the result beside them, as JSON: hashes of the content read and of a template's text, versions,
        models. Obeys `use_cache` and `force_refresh`. To be called at most once a run, before anything is kept.
        Raises BlobStoreError.
        """


def _nothing_kept(parameters: JobParameters, *, without: Collection[str] = (), **shaped_by: Any) -> None:
    """For a run without a cache."""


@dataclass(frozen=True)
class Workspace:
    """Where a run reads and writes: the blob store under `{job_id}/{run}/`, and a folder of its own on this disk.

    `resolved` is what the API knew of the documents that the job names, for job types that name any.
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
    resolved: Resolved | None = field(default=None, repr=False)

    @cached_property
    def folder(self) -> Path:
        """The run's own folder, made when first asked for and removed after the run by whoever started it."""
        self.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.scratch

    @property
    def target_dir(self) -> str:
        """The location of the run's outputs, as results name it (contract 6)."""
        return self.blobs.location(f"{self.job_id}/{self.run}")

    def keep(self, name: str, content: bytes, media_type: str) -> str:
        """Stores an output under the relative `name`; answers its location. Raises BlobStoreError."""
        return self.blobs.location(self.keep_claim(name, content, media_type).uri)

    def keep_claim(self, name: str, content: bytes, media_type: str) -> Claim:
        """As `keep`, for an output that a fact names. Raises BlobStoreError."""
        return self.blobs.put_named(f"{self.job_id}/{self.run}/{name}", content, media_type)

    def keep_file(self, name: str, path: Path, media_type: str) -> str:
        """As `keep`, for a file on this disk, which goes to the store in pieces. Raises BlobStoreError."""
        return self.blobs.location(self.keep_file_claim(name, path, media_type).uri)

    def keep_file_claim(self, name: str, path: Path, media_type: str) -> Claim:
        """As `keep_file`, for an output that a fact names. Raises BlobStoreError."""
        with path.open("rb") as file:
            return self.blobs.put_file(f"{self.job_id}/{self.run}/{name}", file, media_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run made: the parts of the result document (contract 6), and numbers for the log.

    `extra` are further top-level keys of the document; `notes` are sentences for the job's `logs`. `files` are kept
    outputs that the API serves under a name of its own, such as `pages_archive`: what they are -> name as in `keep`.
    One that is not `cacheable` is kept from later jobs: it lacks a part that another attempt may bring.
    `method` says how it was done, `counts` are numbers by name for lists (contract 15a); `index` and `findings` claim
    a FolderIndex and Findings (schemas.documents).
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
        """The result of the same content under another name: other `metadata`, and other `data` beside it."""
        changed = {**data, "metadata": {**self.structured_data["metadata"], **metadata}}
        return replace(self, structured_data={**self.structured_data, **changed})

    def document(self, target_dir: str) -> dict[str, Any]:
        """The JSON document that clients get as `results`; one from the cache says so (contract 10)."""
        document = {
            **self.extra,
            "structured_data": dict(self.structured_data),
            "assets": list(self.assets),
            "target_dir": target_dir,
        }
        if self.files:
            document["files"] = dict(self.files)
        if self.notes:
            document["notes"] = list(self.notes)
        if self.from_cache:
            document["process"] = {"is_from_cache": True}
        return document

    @classmethod
    def restored(
        cls,
        document: Mapping[str, Any],
        pages: int | None,
        bytes_in: int | None,
        method: str | None = None,
        counts: Mapping[str, int] | None = None,
    ) -> Self:
        """The result that a document of an earlier run was made of, as one from the cache."""
        parts = dict(document)
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
    """Tells how far the run is: a step and a percent of contract 5; pages count from 1."""

    def __call__(
        self,
        step: str,
        percent: int,
        message: str | None = None,
        page: int | None = None,
        pages: int | None = None,
    ) -> None:
        """Never raises for what it is told; a percent below the last one is lifted to it."""


class Processor(Protocol):
    """Does the work of one job type. Raises ProcessingError; whatever else it raises is a PROCESSING_ERROR."""

    def __call__(self, parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
        """Runs in a child process, which may be killed at any time."""
