"""The facts that the worker writes."""

from datetime import datetime

from schemas.envelope import Fact
from schemas.events import Event
from schemas.ids import event_id


def worker_fact(subject: str, owner: str, data: Event, scope: str, now: datetime, sequence: int = 0) -> Fact:
    """The fact of an event. Its id is derived from `scope` and `sequence`: a repeat is the same fact."""
    return Fact(
        id=event_id(scope, type(data).__name__, sequence),
        subject=subject,
        owner=owner,
        time=now,
        source="worker",
        data=data,
    )
