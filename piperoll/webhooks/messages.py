"""The headers of every webhook POST: token, signature, ids. Pure."""

from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Final

SCHEMA_VERSION: Final = 1
"""The schema version of job webhooks (contract 7)."""
USER_AGENT: Final = f"Piperoll/{version('piperoll')}"
TRIAL_MESSAGE: Final = "A trial delivery: no such job exists."


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """The headers and body of one POST."""

    headers: dict[str, str]
    body: bytes


def webhook_message(delivery_id: str, token: str | None, now: datetime, body: bytes, signature: str) -> WebhookMessage:
    """Build the message of one attempt. The id is the same for all attempts, the timestamp is in Unix seconds."""
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": USER_AGENT,
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(now.timestamp())),
    }
    if token is not None:
        headers |= {"Authorization": f"Bearer {token}", "X-Callback-Token": token}
    return WebhookMessage({**headers, "webhook-signature": signature}, body)
