"""The paths of uploads in the blob store, and of the markers of jobs that use them. Pure.

An upload is at `uploads/{owner}/{file_id}/{name}`. Each job that names it has an empty marker at
`uses/{owner}/{file_id}/{job_id}`; the upload is erased with the last of these jobs.
"""

from collections.abc import Mapping
from typing import Any

SCHEME = "upload://"
FOLDER = "uploads"
USES = "uses"
ARRIVAL_S = 600.0
"""How long the creation of a job may be on its way to the log after its marker was written."""


def file_ids_of(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the distinct ids of the uploads that a job's `filename`, or those of its `items`, name."""
    items = parameters.get("items")
    given = [parameters, *(items if isinstance(items, list) else ())]
    names = (one.get("filename") for one in given if isinstance(one, Mapping))
    uploads = (name for name in names if isinstance(name, str) and name.startswith(SCHEME))
    ids = (upload.removeprefix(SCHEME).partition("/")[0] for upload in uploads)
    return tuple(dict.fromkeys(file_id for file_id in ids if file_id))


def folder_of(owner: str, file_id: str) -> str:
    """Return the folder of an upload."""
    return f"{FOLDER}/{owner}/{file_id}"


def uses_of(owner: str, file_id: str) -> str:
    """Return the folder of the markers of the jobs that use an upload."""
    return f"{USES}/{owner}/{file_id}"


def uses_by(owner: str, job_id: str, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the markers of a job, one for each upload that it names."""
    return tuple(f"{uses_of(owner, file_id)}/{job_id}" for file_id in file_ids_of(parameters))
