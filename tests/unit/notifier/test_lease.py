"""A notifier that was suspended between the claim of a row and its POST."""

from typing import Any, cast

import pytest

from piperoll.webhooks.attempts import Attempted, Ending
from piperoll.webhooks.messages import WebhookMessage
from piperoll.webhooks.sender import Sender
from services.notifier.delivery import attempt as attempts
from services.notifier.delivery.attempt import Lease, attempt

MESSAGE = WebhookMessage({}, b"{}")


class Posts:
    """Records what is posted."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    async def post(self, url: str, *_: Any) -> Attempted:
        self.urls.append(url)
        return Attempted(Ending.ANSWERED, 1, 200)


@pytest.mark.parametrize(("suspended_s", "posted"), [(0.0, True), (14.0, True), (16.0, False), (3600.0, False)])
async def test_nothing_is_posted_after_the_lease(
    suspended_s: float, posted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(attempts, "_running_s", lambda: now[0])
    posts, lease = Posts(), Lease.taken(15.0)

    async def composing() -> WebhookMessage:
        now[0] += suspended_s
        return MESSAGE

    attempted = await attempt(
        cast(Sender, posts), lease, "http://receiver/", composing(), 30.0, job_id="job-1", delivery_id="msg-1"
    )
    assert posts.urls == (["http://receiver/"] if posted else [])
    assert attempted.ending is (Ending.ANSWERED if posted else Ending.OURS)
