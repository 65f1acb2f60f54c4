"""Ids: random, or derived (UUIDv5, RFC 9562) so that the same command, run or member always gets the same id."""

import re
from typing import Final
from uuid import UUID, uuid4, uuid5

NAMESPACE = UUID("5b0b0a5e-6f0a-5d1c-9a53-0d2b7f0c6a11")
"""The root of every derived id. Never change it: ids of old records could not be derived again."""

_ID: Final = re.compile(r"([a-z]+)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_id(kind: str, text: str) -> bool:
    """Return whether a text can be an id of this kind: `job`, `batch`, `doc`, `folder`, `endpoint` or `signing`."""
    found = _ID.fullmatch(text)
    return found is not None and found[1] == kind


def draw_job_id() -> str:
    """Return a random job id, such as `job-6f1c…`."""
    return f"job-{uuid4()}"


def draw_batch_id() -> str:
    """Return a random batch id."""
    return f"batch-{uuid4()}"


def draw_run() -> str:
    """Return the random id of one run of a job: one child process, one folder of outputs."""
    return uuid4().hex


def keyed_id(kind: str, owner: str, key: str) -> str:
    """The id of the job or batch (`kind`) that `owner` created under an Idempotency-Key."""
    return f"{kind}-{uuid5(NAMESPACE, f'{kind}/{owner}/{key}')}"


def member_id(batch_id: str, index: int) -> str:
    """The job id of a batch's member; `index` counts from 0."""
    return f"job-{uuid5(NAMESPACE, f'member/{batch_id}/{index}')}"


def draw_document_id() -> str:
    """Return the random id of an uploaded document."""
    return f"doc-{uuid4()}"


def draw_folder_id() -> str:
    """Return the random id of a folder."""
    return f"folder-{uuid4()}"


def draw_endpoint_id() -> str:
    """Return the random id of a registered webhook endpoint."""
    return f"endpoint-{uuid4()}"


def draw_signing_key_id() -> str:
    """Return the random id of a key that signs an owner's webhooks."""
    return f"signing-{uuid4()}"


def found_document_id(scope: str, place: str) -> str:
    """The id of a document that a job found at `place`.

    `scope` is the synchronised folder and source, so that the next run gets the same id, or the id of an import job.
    """
    return f"doc-{uuid5(NAMESPACE, f'document/{scope}/{place}')}"


def intake_job_id(document_id: str, revision: str) -> str:
    """The id of the job that reads one revision of a document that another job found."""
    return f"job-{uuid5(NAMESPACE, f'intake/{document_id}/{revision}')}"


def trial_id(test_id: str) -> str:
    """The job id in a test delivery; `test_id` is the id of the fact or request that caused it."""
    return f"trial-{test_id}"


def event_id(scope: str, name: str, sequence: int = 0) -> str:
    """The CloudEvents id of the event `name` about `scope`: a job, batch, run, command or delivery id."""
    return str(uuid5(NAMESPACE, f"event/{scope}/{name}/{sequence}"))


def delivery_id(job_id: str, phase: str, sequence: int = 0) -> str:
    """The id of one webhook for its receiver, the same in all its attempts."""
    return f"msg_{uuid5(NAMESPACE, f'delivery/{job_id}/{phase}/{sequence}').hex}"
