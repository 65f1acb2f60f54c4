"""Where uploads lie in the blob store, and which jobs read them. Pure names; nothing is opened here.

An upload lies at `uploads/{owner}/{file_id}/{name}`. Each job that names it has an empty marker at
`uses/{owner}/{file_id}/{job_id}`, so that the last of them to be erased takes the upload along.
"""

from collections.abc import Mapping
from typing import Any

SCHEME = "upload://"
FOLDER = "uploads"
USES = "uses"


def file_id_of(parameters: Mapping[str, Any]) -> str | None:
    """The upload that a job's parameters name, if any."""
    filename = parameters.get("filename")
    if not isinstance(filename, str) or not filename.startswith(SCHEME):
        return None
    return filename.removeprefix(SCHEME).partition("/")[0] or None


def folder_of(owner: str, file_id: str) -> str:
    """The folder of an upload."""
    return f"{FOLDER}/{owner}/{file_id}"


def uses_of(owner: str, file_id: str) -> str:
    """The folder of the markers of the jobs that read an upload."""
    return f"{USES}/{owner}/{file_id}"


def use_of(owner: str, job_id: str, parameters: Mapping[str, Any]) -> str | None:
    """The marker of a job; None for one that names no upload."""
    file_id = file_id_of(parameters)
    return None if file_id is None else f"{uses_of(owner, file_id)}/{job_id}"
