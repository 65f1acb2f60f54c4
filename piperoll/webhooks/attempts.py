"""The result of one POST. Pure."""

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
    OURS = "OURS"  # nothing was posted, because of an error on this side


@dataclass(frozen=True, slots=True)
class Attempted:
    """The result of one attempt. `status` is set when the receiver answered, `retry_after_s` when it requested a delay.

    `location` is the Location header of a redirect. For a failure, `connected` is whether a connection existed, and
    `reason` is the text of the operating system or OpenSSL, without addresses and without text of the receiver.
    """

    ending: Ending
    duration_ms: int = 0
    status: int | None = None
    retry_after_s: float | None = None
    location: str | None = None
    connected: bool = False
    reason: str = ""

    @property
    def delivered(self) -> bool:
        """Whether the receiver answered with 2xx (a redirect is a failure)."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def failure(self) -> str:
        """The failure code in WebhookFailed."""
        return "HTTP_STATUS" if self.ending is Ending.ANSWERED else self.ending.value
