"""What the log has of an attempt that failed."""

import logging
from collections.abc import Iterator
from typing import Any, cast

import pytest
import structlog
from structlog.testing import capture_logs

from piperoll.clock import utc_now
from piperoll.settings import Settings
from piperoll.webhooks.attempts import Attempted, Ending
from piperoll.webhooks.messages import WebhookMessage
from piperoll.webhooks.sender import Sender
from services.notifier.delivery.attempt import Lease
from services.notifier.delivery.composer import Composer
from services.notifier.hooks.courier import HookCourier
from services.notifier.notices.courier import NoticeCourier
from tests.support.histories import hooks, notices

MESSAGE = WebhookMessage({}, b"{}")


SETTINGS = Settings.from_environment({})


@pytest.fixture(autouse=True)
def _informed() -> Iterator[None]:
    """Log lines of the level INFO are made."""
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    yield
    structlog.configure(wrapper_class=before)


class Unsigned:
    """A composer without keys and contents."""

    async def fetch(self, _claim: object) -> None:
        return None

    async def signed_by_keys(self, *_: Any) -> WebhookMessage:
        return MESSAGE

    def signed_by_secret(self, *_: Any) -> WebhookMessage:
        return MESSAGE


class Refusing:
    """A receiver that answers 500."""

    async def post(self, *_: Any) -> Attempted:
        return Attempted(Ending.ANSWERED, 1, 500)


async def test_the_line_of_a_hook_has_the_attempt_since_the_end_of_the_job_and_its_turn() -> None:
    courier = HookCourier(SETTINGS, cast(Composer, Unsigned()), cast(Sender, Refusing()), utc_now)
    with capture_logs() as lines:
        await courier.deliver(
            hooks.claimed(final="error", attempts=7, request="a", attempts_before=5), Lease.taken(60.0)
        )
    (line,) = lines
    assert (line["event"], line["job_id"], line["attempt"], line["turn"]) == ("not_delivered", "job-1", 8, 3)


async def test_the_line_of_a_notice_names_the_endpoint_and_the_status_that_was_sent() -> None:
    courier = NoticeCourier(SETTINGS, cast(Composer, Unsigned()), cast(Sender, Refusing()), utc_now)
    with capture_logs() as lines:
        await courier.deliver(notices.claimed(attempts=2), Lease.taken(60.0))
    (line,) = lines
    assert (line["event"], line["endpoint_id"], line["status_told"]) == ("not_delivered", "endpoint-1", "DONE")
    assert (line["attempt"], line["turn"], line["status"]) == (3, 3, 500)
