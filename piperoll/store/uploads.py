"""The paths of uploads in the blob store, and of the markers of jobs and batches that use them. Pure.

An upload is at `uploads/{owner}/{file_id}/{name}`. Each job that names it has an empty marker at
`uses/{owner}/{file_id}/{job_id}`; the upload is erased with the last of these jobs. A batch has such a marker for its
members until it is expanded, when they have their own.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

SCHEME = "upload://"
FOLDER = "uploads"
USES = "uses"
ARRIVAL_S = 600.0
"""How long the creation of a job or batch may be on its way to the log after its marker was written."""
BATCH = "batch-"
_UPLOAD = re.compile(rf"{SCHEME}(file-[0-9a-f-]{{1,36}})(/|\Z)")  # no other text is a folder of an upload


def is_batch(subject: str) -> bool:
    """Whether an id is that of a batch (schemas.ids), else it is that of a job."""
    return subject.startswith(BATCH)


def file_ids_of(*parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the distinct ids of the uploads that the `filename` of jobs, or those of their `items`, name."""
    given = [one for each in parameters for one in (each, *_items(each))]
    names = (one.get("filename") for one in given if isinstance(one, Mapping))
    found = (_UPLOAD.match(name) for name in names if isinstance(name, str))
    return tuple(dict.fromkeys(upload[1] for upload in found if upload))


def folder_of(owner: str, file_id: str) -> str:
    """Return the folder of an upload."""
    return f"{FOLDER}/{owner}/{file_id}"


def uses_of(owner: str, file_id: str) -> str:
    """Return the folder of the markers of the jobs and batches that use an upload."""
    return f"{USES}/{owner}/{file_id}"


def uses_by(owner: str, subject: str, *parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the markers of a job, or of a batch with these members: one for each upload that is named."""
    return tuple(f"{uses_of(owner, file_id)}/{subject}" for file_id in file_ids_of(*parameters))


def _items(parameters: Mapping[str, Any]) -> Sequence[Any]:
    items = parameters.get("items")
    return items if isinstance(items, list) else ()
