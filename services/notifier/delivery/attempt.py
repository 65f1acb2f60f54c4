"""One attempt of a hook or notice: compose, post, classify every failure."""

import time
from collections.abc import Awaitable
from dataclasses import dataclass

import structlog

from piperoll.store.blobs import BlobStoreError, BlobUnreadableError
from piperoll.webhooks.attempts import Attempted, Ending
from piperoll.webhooks.messages import WebhookMessage
from piperoll.webhooks.sender import Sender
from services.notifier.delivery.signing_keys import SigningKeysAwayError

log = structlog.get_logger()

FAULT_PAUSE_S = 300.0  # after an error of this program: unlike an outage, it does not pass by itself


@dataclass(frozen=True, slots=True)
class Lease:
    """The lease of a claimed row. A POST may begin until `begin_by`, on a clock that runs while the process does not.

    After that another process may send the row's later hooks, so that this one would come out of order.
    """

    begin_by: float

    @classmethod
    def taken(cls, margin_s: float) -> "Lease":
        """A lease that is taken now and leaves so many seconds before the POST must begin."""
        return cls(_running_s() + margin_s)

    @property
    def over(self) -> bool:
        """Whether it is too late to begin."""
        return _running_s() > self.begin_by


def _running_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


async def attempt(
    sender: Sender,
    lease: Lease,
    url: str,
    composing: Awaitable[WebhookMessage],
    timeout_s: float,
    *,
    job_id: str,
    delivery_id: str,
) -> Attempted:
    """Make the attempt, unless the lease is over. Raises CancelledError only.

    Failures other than the receiver's are OURS or UNREADABLE.
    """
    try:
        message = await composing
        if lease.over:  # this process was suspended since it claimed the row
            log.warning("delivery_after_its_lease", job_id=job_id, delivery_id=delivery_id)
            return Attempted(Ending.OURS)
        return await sender.post(url, message.headers, message.body, timeout_s)
    except BlobUnreadableError as error:
        log.warning("delivery_unreadable", job_id=job_id, delivery_id=delivery_id, error=repr(error))
        return Attempted(Ending.UNREADABLE)
    except BlobStoreError as error:
        log.warning("delivery_waits_for_blobs", job_id=job_id, delivery_id=delivery_id, error=repr(error))
        return Attempted(Ending.OURS)
    except SigningKeysAwayError as error:
        log.warning("delivery_waits_for_signing_keys", job_id=job_id, delivery_id=delivery_id, error=repr(error))
        return Attempted(Ending.OURS)
    except ValueError as error:
        log.warning("delivery_unreadable", job_id=job_id, delivery_id=delivery_id, error=repr(error))
        return Attempted(Ending.UNREADABLE)
    except Exception:
        log.exception("delivery_failed_by_us", job_id=job_id, delivery_id=delivery_id)
        return Attempted(Ending.OURS, retry_after_s=FAULT_PAUSE_S)
