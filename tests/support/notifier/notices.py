"""Notices of endpoints, as a receiver sees them."""

from schemas.events import (
    Event,
)
from tests.support.servers.receiver import Receiver
from tests.support.stacks.notifying import Rig


def statuses_of(receiver: Receiver, job_id: str, path: str = "/hook") -> list[str]:
    """The statuses that came of a job, in the order they came."""
    return [one.json["status"] for one in receiver.at(path) if one.json["jobId"] == job_id]


async def wait_for_statuses(receiver: Receiver, job_id: str, *statuses: str, path: str = "/hook") -> None:
    await receiver.wait_for(lambda it: len(statuses_of(it, job_id, path)) >= len(statuses), description=f"{statuses}")
    assert statuses_of(receiver, job_id, path) == list(statuses)


async def pending(rig: Rig) -> int:
    """How many notices are left to send."""
    count = await rig.pool.fetchval("SELECT count(*) FROM notifier.notices WHERE next_attempt_at IS NOT NULL")
    return int(count)


async def wait_for_facts(rig: Rig, job_id: str, *kinds: type[Event]) -> list[Event]:
    facts = await rig.wait_for_deliveries(job_id, len(kinds))
    assert [type(fact) for fact in facts] == list(kinds)
    return facts
