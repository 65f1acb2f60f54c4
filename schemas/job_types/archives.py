"""The archive of a completed job (contract 11): which files and texts it holds. Pure: names and texts, no blob."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """A file of an archive: an output of the job's by its name, or a text of the results."""

    name: str
    output: str | None = None
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class JobArchive:
    """An archive's file name and its files in their order; or, with `ready`, the output that is the archive."""

    filename: str
    entries: tuple[ArchiveEntry, ...] = ()
    ready: str | None = None


def archive_of_assets(job_id: str, result: Mapping[str, Any]) -> JobArchive | None:
    """All files that the job made; None where it made none."""
    entries = tuple(ArchiveEntry(name, name) for name in assets_of(result))
    return JobArchive(f"{job_id}.zip", entries) if entries else None


def ready_archive(job_id: str, result: Mapping[str, Any]) -> JobArchive | None:
    """The output that the run kept as `archive` among its `files`; None where it kept none."""
    ready = files_of(result).get("archive")
    return None if ready is None else JobArchive(base_name(ready), ready=ready)


def json_entry(name: str, value: Any) -> ArchiveEntry:
    """A JSON text, indented for people."""
    return ArchiveEntry(name, content=to_json(value, indent=2))


def files_of(result: Mapping[str, Any]) -> dict[str, str]:
    """The named outputs of a run, such as `pages_archive`: names within its folder, by what they are."""
    files = result.get("files")
    return {kind: str(name) for kind, name in files.items()} if isinstance(files, Mapping) else {}


def assets_of(result: Mapping[str, Any]) -> list[str]:
    """The names of the job's assets within its outputs."""
    names = (file_name(str(asset), result) for asset in result.get("assets", ()))
    return [name for name in names if name is not None]


def file_name(location: str, result: Mapping[str, Any]) -> str | None:
    """A file's name within its job's outputs, from its location in the results; None when it lies elsewhere."""
    folder = f"{str(result.get('target_dir', '')).rstrip('/')}/"
    return location.removeprefix(folder) if location.startswith(folder) else None


def base_name(name: str) -> str:
    """A name without its folders."""
    return name.rpartition("/")[2]
