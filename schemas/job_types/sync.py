"""The `sync` job type (docs/contract/devana.md#job-types)."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, StringConstraints

from schemas.devana import Devana
from schemas.fields import Label, one_line
from schemas.job_types.declaration import JobType, Named, Reference
from schemas.job_types.parameters import JobParameters

SCHEMES = ("file", "s3", "gs", "az", "azure", "abfs", "abfss")


def _source(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must not contain line ends or control characters")
    parts = urlsplit(value)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"must begin with one of {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not contain a user or password: the worker's own settings hold them")
    if parts.query or parts.fragment:
        raise ValueError("must not contain ? or #: write %3F or %23 for a name that has one")
    if (parts.scheme == "file") == bool(parts.netloc):
        raise ValueError("must be file:///folder, or a bucket such as s3://bucket/prefix")
    if ".." in one_line(unquote(parts.path)).split("/"):
        raise ValueError("must not contain '..'")
    return value


class SyncParameters(JobParameters):
    """The `sync` job: the files of a folder elsewhere become the documents of a folder here."""

    SUPPORTED: ClassVar[dict[str, Any]] = {"schemes": list(SCHEMES)}

    source: Annotated[str, StringConstraints(min_length=1, max_length=4096), AfterValidator(_source)]
    folder_id: Label
    delete_removed: bool = True
    confirm_removals: bool = False


def _describe(parameters: Mapping[str, Any], resolved: Mapping[str, Any]) -> dict[str, Any]:
    return {"folderName": resolved.get("name"), "source": parameters.get("source")}


SYNC: Final = JobType(
    name="sync",
    parameters=SyncParameters,
    processor="services.worker.processors.sync.processor:process",
    reaches_network=lambda parameters: urlsplit(parameters.source).scheme != "file",
    steps={"listing_source": "Listing the source", "copying_files": "Taking in files"},
    names=Named.FOLDER_SOURCES,
    references={"source": Reference.STORE},
    devana=Devana("SYNC", _describe),
)
