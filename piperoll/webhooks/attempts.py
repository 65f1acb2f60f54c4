"""How one POST ended. Pure. What follows from it is up to whoever posted."""

from dataclasses import dataclass
from enum import StrEnum


class Ending(StrEnum):
    """How one attempt ended."""

    ANSWERED = "ANSWERED"
    TIMEOUT = "TIMEOUT"
    CONNECTION = "CONNECTION"
    TLS = "TLS"
    NAME_NOT_FOUND = "NAME_NOT_FOUND"
    BLOCKED_ADDRESS = "BLOCKED_ADDRESS"
    UNREADABLE = "UNREADABLE"
    OURS = "OURS"  # nothing was posted, for a reason on this side


@dataclass(frozen=True, slots=True)
class Attempted:
    """One attempt as it went. `status` only when the receiver answered; `retry_after_s` when it asked for that.

    `location` is where a redirect leads, as it was sent. Of a failure, `connected` tells whether there was a connection
    by then, and `said` is what the system says of it, without an address and never the receiver's own words.
    """

    ending: Ending
    duration_ms: int = 0
    status: int | None = None
    retry_after_s: float | None = None
    location: str | None = None
    connected: bool = False
    said: str = ""

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it: 2xx and nothing else (a redirect is a failure)."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def failure(self) -> str:
        """The code of what went wrong, as it stands in WebhookFailed."""
        return "HTTP_STATUS" if self.ending is Ending.ANSWERED else self.ending.value
