"""The archive of a completed job: its files and texts. Pure (docs/contract/secretary.md#archives)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of an archive: an output of the job by its name, or a text of the results."""

    name: str
    output: str | None = None
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive's file name and its files in their order; or, with `ready`, the output that is the archive."""

    filename: str
    entries: tuple[Entry, ...] = ()
    ready: str | None = None


def archive_of_assets(job_id: str, result: Mapping[str, Any]) -> Archive | None:
    """All files that the job made; None if it made none."""
    entries = tuple(Entry(name, name) for name in assets_of(result))
    return Archive(f"{job_id}.zip", entries) if entries else None


def ready_archive(job_id: str, result: Mapping[str, Any]) -> Archive | None:
    """The output that the run stored as `archive` among its `files`; None if there is none."""
    ready = files_of(result).get("archive")
    return None if ready is None else Archive(base_name(ready), ready=ready)


def json_entry(name: str, value: Any) -> Entry:
    """A JSON text, indented for people."""
    return Entry(name, content=to_json(value, indent=2))


def files_of(result: Mapping[str, Any]) -> dict[str, str]:
    """The named outputs of a run, such as `pages_archive`: names within its folder, by their role."""
    files = result.get("files")
    return {kind: str(name) for kind, name in files.items()} if isinstance(files, Mapping) else {}


def assets_of(result: Mapping[str, Any]) -> list[str]:
    """The names of the job's assets within its outputs."""
    names = (file_name(str(asset), result) for asset in result.get("assets", ()))
    return [name for name in names if name is not None]


def file_name(location: str, result: Mapping[str, Any]) -> str | None:
    """A file's name within its job's outputs, from its location in the results; None for a file elsewhere."""
    folder = f"{str(result.get('target_dir', '')).rstrip('/')}/"
    return location.removeprefix(folder) if location.startswith(folder) else None


def base_name(name: str) -> str:
    """A name without its folders."""
    return name.rpartition("/")[2]
