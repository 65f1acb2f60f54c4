"""What the specification of a batch's member is worth: the terms of its job, or why it cannot be created. Pure.

A specification of a foreign writer is judged by the readers' own rule, so that no member is created that they park.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from piperoll.domain.batch import Batch
from piperoll.domain.creation import job_created
from piperoll.log.usable import refusal
from piperoll.store import document_paths as documents
from piperoll.store import uploads
from piperoll.store.paths import refusal_of
from schemas.events import JobCreated
from schemas.ids import member_id
from schemas.topics import JOB_EVENTS

LONGEST_EVENT = 500_000  # bytes; half of the largest record


class SpecUnusableError(ValueError):
    """The member of this specification cannot be created."""


def members_of(batch: Batch) -> list[tuple[int, str]]:
    """Return the place and the id of each member."""
    return [(index, member_id(batch.batch_id, index)) for index in range(batch.count)]


def parse_specs(content: bytes) -> Sequence[Any]:
    """Return the specifications; none if they are not a list, which only a foreign writer writes."""
    try:
        found = from_json(content)
    except ValueError:
        return ()
    return found if isinstance(found, list) else ()


def terms_of_member(batch: Batch, index: int, specs: Sequence[Any]) -> JobCreated:
    """Return the event of a member, still with the claim of the specifications. Raises SpecUnusableError."""
    if index >= len(specs):
        raise SpecUnusableError("there is no specification for it")
    spec = specs[index]
    if not isinstance(spec, dict) or not isinstance(spec.get("parameters"), dict):
        raise SpecUnusableError("the specification is not an object with parameters")
    about = documents.subject_of(spec)
    marks = uploads.uses_by(batch.owner, batch.batch_id, spec["parameters"])
    if (about is not None and "/" in about) or any(map(refusal_of, (*marks, about or "-"))):
        raise SpecUnusableError("it names a document or an upload that no store can have")
    try:
        event = job_created(spec, batch.specs, batch_id=batch.batch_id)
    except ValidationError as error:
        raise SpecUnusableError(str(error.errors(include_input=False, include_url=False)[:3])) from error
    value = event.model_dump_json(exclude_none=True).encode()
    if len(value) > LONGEST_EVENT:
        raise SpecUnusableError(f"its event has more than {LONGEST_EVENT} bytes")
    if why := refusal(JOB_EVENTS.name, batch.owner, event, value):
        raise SpecUnusableError(why)
    return event
