"""Sends one change of a job's status to a registered endpoint, signed with the endpoint's secret."""

from piperoll.webhooks.attempts import Attempted
from piperoll.webhooks.messages import WebhookMessage
from services.notifier.delivery.attempt import Lease
from services.notifier.delivery.courier import Courier
from services.notifier.notices.bodies import notice_body
from services.notifier.notices.changes import ClaimedNotice
from services.notifier.notices.outcome import NoticeOutcome, given_back, not_sent, outcome_of


class NoticeCourier(Courier):
    """Sends the next notice of a job to an endpoint."""

    async def deliver(self, claimed: ClaimedNotice, lease: Lease) -> tuple[NoticeOutcome, Attempted | None]:
        """Return the outcome to write, and the attempt if one was made. Raises CancelledError only."""
        if claimed.url is None or claimed.secret is None:
            return not_sent(claimed, "REMOVED", self._clock()), None  # it ended while the change was stored
        if claimed.change.late:
            return not_sent(claimed, "TOO_OLD", self._clock()), None
        attempted, verdict = await self._post(
            lease,
            claimed.url,
            self._message(claimed, claimed.secret),
            job_id=claimed.job_id,
            delivery_id=claimed.delivery_id,
            phase="status",
            timeout_s=self._settings.final_timeout_s,
            repeated=not claimed.change.trial,
            turn=claimed.attempts + 1,
            noted={
                "endpoint_id": claimed.endpoint_id,
                "status_told": claimed.change.status,
                "attempt": claimed.attempts + 1,
            },
        )
        return outcome_of(claimed, attempted, verdict, self._clock()), attempted

    def released(self, claimed: ClaimedNotice) -> NoticeOutcome:
        """Return the outcome of an interrupted attempt."""
        return given_back(claimed, self._clock())

    async def _message(self, claimed: ClaimedNotice, secret: str) -> WebhookMessage:
        """The message of a notice. Raises the composer's errors, and ValueError for content that cannot be read."""
        parameters = await self._composer.fetch(claimed.change.parameters)
        body = notice_body(claimed, parameters, await self._composer.fetch(claimed.change.error))
        return self._composer.signed_by_secret(secret, claimed.delivery_id, claimed.token, body)
