"""Judges what registered endpoints received: each change of a job, in order, and nothing once the log has its outcome.

Which changes there are is the fold's answer over the whole log (services.notifier.notices.changes).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from piperoll.history import Violation
from schemas.envelope import Fact
from schemas.events import EndpointRegistered, EndpointRemoved, WebhookAbandoned, WebhookDelivered
from schemas.topics import ENDPOINT_EVENTS, JOB_EVENTS
from services.notifier.notices.changes import Following, RegisteredEndpoint, notice_id

if TYPE_CHECKING:
    from tests.support.simulation.world import World

NEVER_LATE = datetime.min.replace(tzinfo=UTC)
Notice = tuple[str, str, int]
"""A job, an endpoint and the number of a change."""


@dataclass(slots=True)
class SettledNotices:
    """Which notices have an outcome in the log, and since when (`at_s`); the endpoints that are `gone`."""

    at_s: dict[Notice, float]
    delivered: set[Notice]
    gone: set[str]

    def observe(self, fact: Fact, now_s: float) -> None:
        """Take in a fact of the deliveries."""
        data = fact.data
        if not isinstance(data, (WebhookDelivered, WebhookAbandoned)) or data.endpoint_id is None:
            return
        assert data.change is not None
        notice = fact.subject, data.endpoint_id, data.change
        self.at_s.setdefault(notice, now_s)
        if isinstance(data, WebhookDelivered):
            self.delivered.add(notice)
        elif data.reason == "GONE":
            self.gone.add(data.endpoint_id)


def open_notices(world: "World") -> list[tuple[str, str]]:
    """The jobs and endpoints with something to send."""
    rows = world.postgres.committed["notices"].items()
    return [key for key, row in sorted(rows) if row["next_attempt_at"] is not None]


def expected_notices(world: "World") -> set[Notice]:
    """Every change that an endpoint is to receive; also of those that were removed later."""
    found: set[Notice] = set()
    for endpoint in _registered(world).values():
        following = Following([endpoint], {}, NEVER_LATE)
        for part in range(world.partitions):
            for record in world.log.records(JOB_EVENTS, part):
                if following.concerns(record.ce_owner):
                    following.take(record.fact())
        for (job_id, endpoint_id), changes in following.notices.items():
            found |= {(job_id, endpoint_id, change.number) for change in changes}
    return found


def _registered(world: "World") -> dict[str, RegisteredEndpoint]:
    return {
        fact.subject: RegisteredEndpoint(
            fact.subject, fact.owner, "", "", None, "", frozenset(fact.data.statuses), fact.known_at
        )
        for fact in _endpoint_facts(world)
        if isinstance(fact.data, EndpointRegistered)
    }


def _removed(world: "World") -> set[str]:
    return {fact.subject for fact in _endpoint_facts(world) if isinstance(fact.data, EndpointRemoved)}


def _endpoint_facts(world: "World") -> list[Fact]:
    return [record.fact() for part in range(world.partitions) for record in world.log.records(ENDPOINT_EVENTS, part)]


def notice_violations(world: "World") -> Iterator[Violation]:
    """I4 for endpoints, of a world that has had time to settle."""
    for job_id, endpoint_id in open_notices(world):
        yield Violation("I4", job_id, f"has changes that {endpoint_id} was never sent")
    expected = expected_notices(world)
    ended = _removed(world) | world.notices.gone
    for job_id, endpoint_id, number in sorted(expected - world.notices.at_s.keys()):
        if endpoint_id not in ended:
            yield Violation("I4", job_id, f"has no outcome of change {number} for {endpoint_id}")
    yield from _sent(world, {notice_id(*notice): notice for notice in expected})


def _sent(world: "World", by_id: dict[str, Notice]) -> Iterator[Violation]:
    """What came to the endpoints, in the order in which it was sent."""
    last: dict[tuple[str, str], int] = {}
    came: set[Notice] = set()
    for one in sorted(world.receivers.noticed, key=lambda one: one.began_s):
        notice = by_id.get(one.delivery_id)
        if notice is None:
            yield Violation("I4", one.job_id, f"was sent {one.delivery_id}, which is not one of its changes")
            continue
        came.add(notice)
        job_id, endpoint_id, number = notice
        if job_id in world.doubtful:
            continue
        if one.began_s > world.notices.at_s.get(notice, one.began_s):
            yield Violation("I4", job_id, f"had change {number} sent to {endpoint_id} although it was settled")
        if number < last.get((job_id, endpoint_id), 0):
            yield Violation("I4", job_id, f"had change {number} sent to {endpoint_id} after a later one")
        last[job_id, endpoint_id] = max(number, last.get((job_id, endpoint_id), 0))
    for job_id, endpoint_id, number in sorted(world.notices.delivered - came):
        yield Violation("I4", job_id, f"has change {number} as delivered, which {endpoint_id} never got")
