"""An attempt that fails on this side: an outage is over soon, an error of this program is not."""

from typing import Any

import pytest

from piperoll.store.blobs import BlobStoreError
from piperoll.webhooks.attempts import Attempted, Ending
from piperoll.webhooks.messages import WebhookMessage
from services.notifier.delivery.attempt import FAULT_PAUSE_S, Lease, attempt
from services.notifier.delivery.verdict import REPEAT_AFTER_S, Decision, judge
from tests.support.histories.hooks import DELAYS


async def attempted_with(failure: Exception) -> Attempted:
    """The attempt of a hook that this failure meets in the POST."""

    class Failing:
        async def post(self, *arguments: Any) -> Attempted:
            raise failure

    async def composing() -> WebhookMessage:
        return WebhookMessage({}, b"{}")

    sender: Any = Failing()
    lease = Lease.taken(15.0)
    return await attempt(sender, lease, "http://receiver/", composing(), 1.0, job_id="job-1", delivery_id="msg-1")


@pytest.mark.parametrize(
    ("failure", "delay_s"),
    [
        (BlobStoreError("away"), REPEAT_AFTER_S),
        (OverflowError("too large"), FAULT_PAUSE_S),
        (KeyError("name"), FAULT_PAUSE_S),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_an_outage_is_repeated_soon_and_an_error_of_the_program_rarely(
    failure: Exception, delay_s: float
) -> None:
    attempted = await attempted_with(failure)
    assert attempted.ending is Ending.OURS
    verdict = judge(attempted, True, 1, DELAYS, 0.0)
    assert (verdict.decision, verdict.delay_s) == (Decision.REPEAT, delay_s)
