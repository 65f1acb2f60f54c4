"""What every POST to a webhook bears, whatever it tells: headers, token, signature. Pure; bodies are their senders'."""

from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Final

SCHEMA_VERSION: Final = 1
"""Of the bodies of jobs' own webhooks (contract 7)."""
USER_AGENT: Final = f"Piperoll/{version('piperoll')}"
TRIAL_MESSAGE: Final = "A trial delivery: there is no such job."


@dataclass(frozen=True, slots=True)
class Letter:
    """What is posted."""

    headers: dict[str, str]
    body: bytes


def letter(delivery_id: str, token: str | None, now: datetime, body: bytes, signature: str) -> Letter:
    """One attempt. The id is the same over all attempts, the timestamp (Unix seconds) is new, and both are signed."""
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
    return Letter({**headers, "webhook-signature": signature}, body)
