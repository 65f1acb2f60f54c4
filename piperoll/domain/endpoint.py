"""The fold of a registered endpoint: who is told of an owner's jobs. What is told, the notifier decides."""

from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter

from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import EndpointRegistered, EndpointRemoved, EndpointTested


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint folded from its facts. Times are the writers' times, clamped so that they never go back.

    One that was removed before its registration was read is a stub, with `registered` false.
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

    Facts of another owner than the first one's do not count, nor does anything after the removal.
    """
    if endpoint is None:
        return _begin(fact)
    if fact.owner != endpoint.owner:
        return endpoint
    now = max(endpoint.updated_at, fact.time)
    match fact.data:
        case EndpointRegistered() as data if not endpoint.registered:  # only a stub was not
            return replace(endpoint, registered=True, user_id=data.user_id, statuses=data.statuses, updated_at=now)
        case EndpointTested() if not endpoint.removed:
            return replace(endpoint, trials=endpoint.trials + 1, updated_at=now)
        case EndpointRemoved() if not endpoint.removed:
            return replace(endpoint, removed=True, settings=None, updated_at=now)
        case _:
            return endpoint


def _begin(fact: Fact) -> Endpoint | None:
    endpoint = Endpoint(endpoint_id=fact.subject, owner=fact.owner, created_at=fact.time, updated_at=fact.time)
    match fact.data:
        case EndpointRegistered() as data:
            return replace(
                endpoint, registered=True, user_id=data.user_id, statuses=data.statuses, settings=data.settings
            )
        case EndpointRemoved():
            return replace(endpoint, removed=True)
        case _:
            return None
