"""The table of deliveries: facts that the relay appended twice."""

from schemas.events import WebhookDelivered, WebhookFailed
from schemas.topics import JOB_DELIVERIES
from tests.support.histories.jobs import fact, record
from tests.support.projector.tables import Projecting

FAILED = WebhookFailed(
    delivery_id="msg-1", phase="completed", attempt=1, reason="HTTP_ERROR", status=500, duration_ms=3
)
DELIVERED = WebhookDelivered(delivery_id="msg-1", phase="completed", attempt=2, status=200, duration_ms=3)


async def test_a_fact_that_was_appended_twice_shows_once(projecting: Projecting) -> None:
    first, second = fact("job-a", FAILED, 1), fact("job-a", DELIVERED, 2)
    other = fact("job-b", FAILED, 1)
    appended = [first, other, first, second]
    await projecting.deliveries.handle(0, [record(one, 0, at, JOB_DELIVERIES) for at, one in enumerate(appended)])
    await projecting.deliveries.handle(0, [record(one, 0, 4 + at, JOB_DELIVERIES) for at, one in enumerate(appended)])
    rows = await projecting.rows("deliveries", "job_id, log_offset")
    assert [(row["job_id"], row["log_offset"], row["type"]) for row in rows] == [
        ("job-a", 0, "piperoll.WebhookFailed.v1"),
        ("job-a", 3, "piperoll.WebhookDelivered.v1"),
        ("job-b", 1, "piperoll.WebhookFailed.v1"),
    ]
