"""The marker of a job that has a document or folder as its `target_id`, and names it in no other way.

It is at `targets/{owner}/{id}/{job_id}`, with the owner, since a `target_id` may name what another owner has. It is
written before the job's creation: then the process manager of removal, which cannot ask the read model, erases the job
although the request that removed its target did not come so far. A target that was removed before is a label and
nothing else.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from piperoll.job_types import job_types
from piperoll.store import document_paths as documents
from piperoll.store.blobs import AsyncBlobs
from schemas.ids import is_id
from schemas.job_types.declaration import Makes

TARGETS = "targets"
ERASED_WITH = "erased_with"
"""The key, in the specification of a batch's member, of its target if that was not removed before the batch."""


def target_of(parameters_document: Mapping[str, Any]) -> str | None:
    """Return the document or folder with which a job is erased, by its stored parameters, as its target alone.

    With a folder go those of its jobs that make an index.
    """
    parameters = parameters_document.get("parameters")
    target = parameters.get("target_id") if isinstance(parameters, Mapping) else None
    if not isinstance(target, str) or target == documents.subject_of(parameters_document):
        return None
    if is_id("doc", target):
        return target
    makes_index = parameters_document.get("job_type") in job_types().that_make(Makes.INDEX)
    return target if makes_index and is_id("folder", target) else None


def mark_of(owner: str, target: str, job_id: str) -> str:
    """Return the marker of a job with this target."""
    return f"{TARGETS}/{owner}/{target}/{job_id}"


async def note(blobs: AsyncBlobs, owner: str, job_id: str, target: str) -> bool:
    """Note a job before its creation; return whether its target was removed before. Raises BlobStoreError."""
    await blobs.mark(mark_of(owner, target, job_id))
    return await documents.was_removed(blobs, target)


async def jobs_with(blobs: AsyncBlobs, owner: str, target: str) -> Sequence[str]:
    """Return the jobs of an owner that were noted with this target. Raises BlobStoreError."""
    return [mark.rpartition("/")[2] for mark in await blobs.names(f"{TARGETS}/{owner}/{target}")]
