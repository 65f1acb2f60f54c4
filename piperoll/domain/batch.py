"""The fold of a batch, and the rule that derives its status from its members."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter

from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import BatchCreated, BatchErased, BatchExpanded

BatchStatus = Literal["pending", "processing", "completed", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch folded from its facts. Members written before a crash are found in the log from `appended_at` on.

    An erased batch keeps its claims, although their blobs are deleted: its members were created from them.
    """

    batch_id: str
    owner: str
    user_id: str | None
    name: Claim | None
    specs: Claim
    count: int
    body_sha256: str
    created_at: datetime
    appended_at: datetime
    expanded: bool = False
    erased: bool = False


CODEC: TypeAdapter[Batch] = TypeAdapter(Batch)


def evolve(batch: Batch | None, fact: Fact) -> Batch | None:
    """The batch after `fact`; the same object when the fact does not count."""
    match fact.data:
        case BatchCreated() as data if batch is None:
            return Batch(
                batch_id=fact.subject,
                owner=fact.owner,
                user_id=data.user_id,
                name=data.name,
                specs=data.specs,
                count=data.count,
                body_sha256=data.body_sha256,
                created_at=fact.time,
                appended_at=fact.known_at,
            )
        case BatchExpanded() if batch is not None and not batch.expanded:
            return replace(batch, expanded=True)
        case BatchErased() if batch is not None and not batch.erased:
            return replace(batch, erased=True)
    return batch


def status_of(count: int, started: int, completed: int, terminal: int) -> BatchStatus:
    """A batch's status from its members (docs/contract/secretary.md#batch).

    `started` counts members that are not pending, `terminal` those that have ended. Terminal only when all `count`
    members have ended; failed only if none completed.
    """
    if terminal >= count:
        return "completed" if completed else "failed"
    return "processing" if started else "pending"
