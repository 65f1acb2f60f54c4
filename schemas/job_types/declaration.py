"""The declaration of a job type: all that code outside its processor needs. Pure.

A body is a parsed JSON value: `parameters` and `resolved` of a job's stored parameters, or a job's result.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from schemas.devana import Devana
from schemas.job_types.archives import Archive
from schemas.job_types.page_work import PageWork, no_page_work
from schemas.job_types.parameters import JobParameters
from schemas.pages import FinishedPage, PagePicture

Body = Mapping[str, Any]

COMPLETED: Final = "Processing completed"
COMMON_STEPS: Final[Mapping[str, str]] = {
    "initializing": "Preparing the job",
    "reading_file": "Reading the file",
    "finalizing": "Storing the results",
    "completed": COMPLETED,
}


class Named(StrEnum):
    """The subject of a job, and what is looked up about it when the job is created (`schemas.documents.Resolved`)."""

    DOCUMENT = "document"  # name and content: ResolvedDocument
    DOCUMENT_TEXT = "document_text"  # also its text
    FOLDER = "folder"  # its existence only
    FOLDER_TEXTS = "folder_texts"  # the texts of its documents: ResolvedFolder
    FOLDER_SOURCES = "folder_sources"  # where its documents came from: ResolvedSync

    @property
    def parameter(self) -> str:
        """The parameter that holds the id."""
        return f"{self.partition('_')[0]}_id"


class Makes(StrEnum):
    """What a result provides for the document or folder of the job."""

    TEXT = "text"  # `structured_data.extracted_text` is the text of the document
    INDEX = "index"  # JobCompleted's `index` is the folder's


class Reference(StrEnum):
    """The kind of place that a text parameter names; the API checks that it is allowed."""

    FILE = "file"  # a path under the allowed folders, or `upload://{file_id}`
    ADDRESS = "address"  # http or https
    STORE = "store"  # a folder or bucket, such as s3://bucket/prefix
    NOTHING = "nothing"


def no_title(parameters: Body) -> str | None:
    """None: a job is shown by its id."""
    return None


def plain_completion(job_id: str, result: Body) -> tuple[str, dict[str, Any]]:
    """The message of a completed job, and all of its structured data."""
    return COMPLETED, dict(result.get("structured_data") or {})


def closed(parameters: Any) -> bool:
    """False: the processor uses no network."""
    return False


def fetches_url(parameters: Any) -> bool:
    """Whether the job names a `url`, which the processor fetches."""
    return parameters.asked("url") is not None


def open_to_network(parameters: Any) -> bool:
    """True: the processor uses the network."""
    return True


def no_archive(job_id: str, result: Body) -> Archive | None:
    """None: there is nothing to archive."""
    return None


def no_pages(result: Body) -> Sequence[FinishedPage]:
    """None: the result has no pages."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobType:
    """One job type.

    `processor` is `package.module:function`, a `services.worker.run.workspace.Processor`. `parameters` may have
    `use_cache` and `force_refresh`; a type without them is never cached. `cache_ttl` is the maximum age in seconds of
    a cached result, or the name of the setting that holds it. `enabled_by` is a setting that must be true for jobs of
    this type to be accepted.

    `steps` are the messages of the processor's steps in addition to `COMMON_STEPS`. `references` maps text parameters
    to their kind where the name does not imply it (see `reference`).

    `page_work` returns how a job with these parameters reads pages, `work_percent` is the percent at which the work
    that takes the time begins and ends: for estimates. An `internal` type is created by the API alone.

    `reads` are prefixes of media types (`audio/`): added documents of these are read by this type, which must take
    `document_id` alone, name a document, make text and have a Devana type.

    `reaches_network` is whether the processor uses the network for a job with these parameters, be it a `url` or a
    provider. Without it the process has no network, and no provider has a key.

    `devana` is None for a type that the Devana API does not show. `completion` returns the message and the data of the
    completed webhook and stream event from the job id and the result; links are relative, and a key without a value is
    left out. `archive` returns the archive of a completed job, None if there is none. `pages` returns the pages of a
    result, in their order; while the job runs they are those that its processor finished. `pictures` are outputs with
    the picture of a page, `words` the name of the output with the words of a drawn page (schemas.pages), empty if
    there is none. `downloads` are the names in a result's `files` that have their own route.
    """

    name: str
    parameters: type[JobParameters]
    processor: str
    aliases: tuple[str, ...] = ()
    steps: Mapping[str, str] = field(default_factory=dict)
    names: Named | None = None
    references: Mapping[str, Reference] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    makes: Makes | None = None
    devana: Devana | None = None
    title: Callable[[Body], str | None] = no_title
    completion: Callable[[str, Body], tuple[str, dict[str, Any]]] = plain_completion
    archive: Callable[[str, Body], Archive | None] = no_archive
    pages: Callable[[Body], Sequence[FinishedPage]] = no_pages
    pictures: tuple[PagePicture, ...] = ()
    words: str = ""
    downloads: frozenset[str] = frozenset()
    cache_ttl: float | str = "cache_ttl_s"
    enabled_by: str | None = None
    internal: bool = False
    page_work: Callable[[Body], PageWork | None] = no_page_work
    work_percent: tuple[int, int] = (0, 100)
    reaches_network: Callable[[Any], bool] = closed

    def step_message(self, step: str) -> str:
        """The message of a step; by default the step's name."""
        return self.steps.get(step) or COMMON_STEPS.get(step) or step.replace("_", " ")

    def reference(self, name: str) -> Reference:
        """The kind of place that a text parameter names; by default `filename`, `url` and `…_url` name one."""
        if name in self.references:
            return self.references[name]
        if name == "filename":
            return Reference.FILE
        return Reference.ADDRESS if name == "url" or name.endswith("_url") else Reference.NOTHING

    def named_by(self, parameters: JobParameters) -> tuple[Named, str] | None:
        """The subject of a job and its id; None for a job without a subject."""
        named = None if self.names is None else parameters.asked(self.names.parameter)
        return None if self.names is None or named is None else (self.names, named)


def undeclared(name: str) -> JobType:
    """The declaration of a type that this process does not know: empty."""
    return JobType(name=name, parameters=JobParameters, processor="")
