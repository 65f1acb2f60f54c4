"""The fold of a folder, and the moves of its members.

Members are not part of the state, because there may be many: the caller applies the `moves` of each accepted fact.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter

from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import FolderChanged, FolderCreated, FolderMembersChanged, FolderRemoved


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder folded from its facts. Times are the writers' times, clamped so that they never go back.

    A folder removed before it was created is a stub, with `created` false, which a later FolderCreated only fills in.
    """

    folder_id: str
    owner: str
    created_at: datetime
    updated_at: datetime
    created: bool = False
    removed: bool = False
    user_id: str | None = None
    chunk_size: int | None = None
    details: Claim | None = None


CODEC: TypeAdapter[Folder] = TypeAdapter(Folder)
"""The one JSON form of a folder, in the read model and in `piperoll verify`."""


def evolve(folder: Folder | None, fact: Fact) -> Folder | None:
    """The folder after `fact`. Total; returns the same object exactly when the fact does not count.

    Facts of another owner than the first one's do not count, nor does any fact after the removal.
    """
    old = folder or Folder(folder_id=fact.subject, owner=fact.owner, created_at=fact.time, updated_at=fact.time)
    if fact.owner != old.owner:
        return folder
    now = max(old.updated_at, fact.time)
    is_open = old.created and not old.removed
    # fmt: off
    match fact.data:
        case FolderCreated() as data if not old.created:
            return replace(
                old, updated_at=now, created=True, user_id=data.user_id, chunk_size=data.chunk_size,
                details=None if old.removed else data.details,
            )
        case FolderChanged() as data if is_open and (data.details is not None or data.chunk_size is not None):
            return replace(
                old, updated_at=now,
                details=data.details or old.details, chunk_size=data.chunk_size or old.chunk_size,
            )
        case FolderMembersChanged() if is_open:
            return replace(old, updated_at=now)
        case FolderRemoved() if not old.removed:
            return replace(old, updated_at=now, removed=True, details=None)
    # fmt: on
    return folder


def moves(folder: Folder, fact: Fact) -> Iterator[tuple[str, datetime | None]]:
    """The documents that an accepted FolderMembersChanged moves, in order: in, with a time, or out (None).

    `folder` is the state after the fact. A document that is already in keeps its time; one that a fact both adds and
    removes is out.
    """
    if isinstance(fact.data, FolderMembersChanged):
        yield from ((document_id, folder.updated_at) for document_id in fact.data.added)
        yield from ((document_id, None) for document_id in fact.data.removed)
