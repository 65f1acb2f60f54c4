"""One attempt of a hook or notice: compose, post, classify every failure."""

from collections.abc import Awaitable

import structlog

from piperoll.store.blobs import BlobStoreError, BlobUnreadableError
from piperoll.webhooks.attempts import Attempted, Ending
from piperoll.webhooks.messages import WebhookMessage
from piperoll.webhooks.sender import Sender
from services.notifier.delivery.signing_keys import SigningKeysAwayError

log = structlog.get_logger()


async def attempt(
    sender: Sender, url: str, composing: Awaitable[WebhookMessage], timeout_s: float, *, job_id: str, delivery_id: str
) -> Attempted:
    """Make the attempt. Failures other than the receiver's are OURS or UNREADABLE. Raises CancelledError only."""
    try:
        message = await composing
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
        return Attempted(Ending.OURS)
