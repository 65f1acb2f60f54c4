"""The paths of uploads in the blob store, and of the markers of jobs and batches that use them. Pure.

An upload is at `uploads/{owner}/{file_id}/{name}`. Each job that names it has an empty marker at
`uses/{owner}/{file_id}/{job_id}`; the upload is erased with the last of these jobs. A batch has such a marker for its
members until it is expanded, when they have their own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

SCHEME = "upload://"
FOLDER = "uploads"
USES = "uses"
ARRIVAL_S = 600.0
"""How long the creation of a job or batch may be on its way to the log after its marker was written."""
BATCH = "batch-"


def is_batch(subject: str) -> bool:
    """Whether an id is that of a batch (schemas.ids), else it is that of a job."""
    return subject.startswith(BATCH)


def file_ids_of(*parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the distinct ids of the uploads that the `filename` of jobs, or those of their `items`, name."""
    given = [one for each in parameters for one in (each, *_items(each))]
    names = (one.get("filename") for one in given if isinstance(one, Mapping))
    uploads = (name for name in names if isinstance(name, str) and name.startswith(SCHEME))
    ids = (upload.removeprefix(SCHEME).partition("/")[0] for upload in uploads)
    return tuple(dict.fromkeys(file_id for file_id in ids if file_id))


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
