"""Changes, endpoints and claimed notices for tests of the notifier."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import (
    Event,
    JobCompleted,
    JobCreated,
)
from services.notifier.notices.changes import Change, ClaimedNotice, Following, RegisteredEndpoint

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)

LONG_AGO = NOW - timedelta(days=1)

CLAIM = Claim(uri="job-1/in/abc", sha256="abc", size=1)

CREATED = JobCreated(job_type="pdf", parameters=CLAIM, body_sha256="", target_id="doc-1")

COMPLETED = JobCompleted(run="a", result=CLAIM, pages=3, method="native", bytes_in=10, counts={"words": 7})


def fact(data: Event, owner: str = "owner", at: datetime = NOW) -> Fact:
    return Fact("id", "job-1", owner, at, "test", data)


def endpoint(*statuses: str, since: datetime = LONG_AGO) -> RegisteredEndpoint:
    return RegisteredEndpoint(
        "endpoint-1", "owner", "http://a:80", "http://a/", None, "sealed", frozenset(statuses), since
    )


def changes(*events: Event, **more: Any) -> list[Change]:
    following = Following([endpoint(**more)], {}, LONG_AGO)
    for data in events:
        following.take(fact(data))
    return following.notices.get(("job-1", "endpoint-1"), [])


DONE = Change(number=3, status="DONE", at=NOW, job_type="pdf", target_id="doc-1", parameters=CLAIM)


def claimed(attempts: int = 0, **more: Any) -> ClaimedNotice:
    return ClaimedNotice(
        job_id="job-1",
        endpoint_id="endpoint-1",
        owner="owner",
        origin="http://a:80",
        change=replace(DONE, **more),
        attempts=attempts,
        leased_until=NOW,
        url="http://a/",
        token=None,
        secret="sealed",
    )
