"""The fold of a registered endpoint. The notifier decides what is sent to it."""

from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter

from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import EndpointRegistered, EndpointRemoved, EndpointTested


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint folded from its facts. Times are the writers' times, clamped so that they never go back.

    An endpoint that was removed before its registration was read is a stub, with `registered` false.
    """

    endpoint_id: str
    owner: str
    created_at: datetime
    updated_at: datetime
    registered: bool = False
    removed: bool = False
    user_id: str | None = None
    statuses: tuple[str, ...] = ()
    settings: Claim | None = None
    trials: int = 0


CODEC: TypeAdapter[Endpoint] = TypeAdapter(Endpoint)
"""The one JSON form of an endpoint, in the read model and in `piperoll verify`."""


def evolve(endpoint: Endpoint | None, fact: Fact) -> Endpoint | None:
    """The endpoint after `fact`. Total; returns the same object exactly when the fact does not count.

    Facts of another owner than the first one's do not count, nor does any fact after the removal.
    """
    old = endpoint or Endpoint(endpoint_id=fact.subject, owner=fact.owner, created_at=fact.time, updated_at=fact.time)
    if fact.owner != old.owner:
        return endpoint
    now = max(old.updated_at, fact.time)
    # fmt: off
    match fact.data:
        case EndpointRegistered() as data if not old.registered:
            return replace(
                old, updated_at=now, registered=True, user_id=data.user_id, statuses=data.statuses,
                settings=None if old.removed else data.settings,
            )
        case EndpointTested() if old.registered and not old.removed:
            return replace(old, updated_at=now, trials=old.trials + 1)
        case EndpointRemoved() if not old.removed:
            return replace(old, updated_at=now, removed=True, settings=None)
    # fmt: on
    return endpoint
