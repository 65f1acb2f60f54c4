"""The fold of a document: its content, and whether it was removed. Its text is in its newest extraction."""

from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter

from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import DocumentAdded, DocumentRemoved


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document folded from its facts. Times are the writers' times, clamped so that they never go back.

    `job_id` is the job that took in this revision. A document removed before it was added is a stub, with `added`
    false, which a later DocumentAdded only fills in. A removed document has no content and is never restored.
    """

    document_id: str
    owner: str
    created_at: datetime
    updated_at: datetime
    added: bool = False
    removed: bool = False
    user_id: str | None = None
    job_id: str | None = None
    revision: str | None = None
    content: Claim | None = None
    details: Claim | None = None


CODEC: TypeAdapter[Document] = TypeAdapter(Document)
"""The one JSON form of a document, in the read model and in `piperoll verify`."""


def evolve(document: Document | None, fact: Fact) -> Document | None:
    """The document after `fact`; the same object when it does not count, such as a fact of another owner. Total."""
    old = document or Document(document_id=fact.subject, owner=fact.owner, created_at=fact.time, updated_at=fact.time)
    if fact.owner != old.owner:
        return document
    now = max(old.updated_at, fact.time)
    # fmt: off
    match fact.data:
        case DocumentAdded() as data if old.removed and not old.added:  # fills the stub in, without the content
            return replace(
                old, updated_at=now, added=True,
                user_id=data.user_id, job_id=data.job_id, revision=data.revision,
            )
        case DocumentAdded() as data if not old.removed and data.revision != old.revision:
            return replace(
                old, updated_at=now, added=True, user_id=old.user_id if old.added else data.user_id,
                job_id=data.job_id, revision=data.revision, content=data.content, details=data.details,
            )
        case DocumentRemoved() if not old.removed:
            return replace(old, updated_at=now, removed=True, content=None, details=None)
    # fmt: on
    return document
