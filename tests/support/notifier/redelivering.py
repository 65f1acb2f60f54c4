"""Requests for redeliveries in a notifier."""

from datetime import UTC, datetime

from schemas.envelope import Fact
from schemas.events import (
    Event,
    WebhookRedeliveryRequested,
)
from schemas.ids import delivery_id, event_id
from schemas.topics import JOB_DELIVERIES
from tests.support.stacks.notifying import Rig

DAY_S = 86400


async def ask(rig: Rig, job_id: str, request: str, *, deliver: bool = True) -> None:
    """Asks for a job's final hook, as the API does."""
    final = delivery_id(job_id, "final")
    data = WebhookRedeliveryRequested(request=request, delivery_id=final, phase="completed", by="owner")
    fact_id = event_id(request, type(data).__name__)
    await rig.log.append(JOB_DELIVERIES, Fact(fact_id, job_id, "owner", datetime.now(UTC), "api", data))
    if deliver:
        await rig.log.deliver()


async def settled(rig: Rig, job_id: str, *kinds: type[Event]) -> list[Event]:
    """The facts about a job's deliveries, once they are these and the notifier has read them itself."""
    facts = await rig.wait_for_deliveries(job_id, len(kinds))
    assert [type(fact) for fact in facts] == list(kinds)
    await rig.log.deliver()
    return facts
