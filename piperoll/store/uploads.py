"""The paths of uploads in the blob store, and of the markers of jobs that use them. Pure.

An upload is at `uploads/{owner}/{file_id}/{name}`. Each job that names it has an empty marker at
`uses/{owner}/{file_id}/{job_id}`; the upload is erased with the last of these jobs.
"""

import re
from collections.abc import Mapping
from typing import Any

FOLDER = "uploads"
USES = "uses"
_UPLOAD = re.compile(r"upload://(file-[0-9a-f-]{1,36})(/|\Z)")  # no other text is a folder of an upload


def file_ids_of(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the distinct ids of the uploads that a job's `filename`, or those of its `items`, name."""
    items = parameters.get("items")
    given = [parameters, *(items if isinstance(items, list) else ())]
    names = (one.get("filename") for one in given if isinstance(one, Mapping))
    found = (_UPLOAD.match(name) for name in names if isinstance(name, str))
    return tuple(dict.fromkeys(upload[1] for upload in found if upload))


def folder_of(owner: str, file_id: str) -> str:
    """Return the folder of an upload."""
    return f"{FOLDER}/{owner}/{file_id}"


def uses_of(owner: str, file_id: str) -> str:
    """Return the folder of the markers of the jobs that use an upload."""
    return f"{USES}/{owner}/{file_id}"


def uses_by(owner: str, job_id: str, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the markers of a job, one for each upload that it names."""
    return tuple(f"{uses_of(owner, file_id)}/{job_id}" for file_id in file_ids_of(parameters))
