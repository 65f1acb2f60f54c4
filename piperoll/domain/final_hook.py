"""How the hook that tells a job's end stands, as the deliveries say it. Whether there is one, the job says."""

from dataclasses import dataclass
from typing import Literal

from schemas.events import Event, WebhookAbandoned, WebhookDelivered, WebhookRedeliveryRequested

HELD = "TOO_OLD"
"""The reason of a hook that was never attempted, because its job had ended long before it was seen."""

State = Literal["open", "delivered", "held", "abandoned"]


@dataclass(frozen=True, slots=True)
class FinalHook:
    """Open as long as attempts follow, then settled, and open again when a redelivery was asked for.

    `request` is the request that it is, or was, sent for; None in its first life.
    """

    state: State = "open"
    request: str | None = None

    @property
    def is_requested(self) -> bool:
        """Whether a redelivery is open."""
        return self.state == "open" and self.request is not None

    def awaits(self, request: str | None) -> bool:
        """Whether an outcome for `request` counts. A hook without a request takes that of its outcome, since the
        request may be kept no longer."""
        return self.state == "open" and self.request in (None, request)


def evolve(hook: FinalHook, data: Event) -> FinalHook:
    """The hook after a fact of its job's deliveries, in the order of the log. Total.

    Returns the same object exactly when the fact does not count: what is about other hooks, a repeat, a request
    while another one is open, and an outcome of an earlier life that was appended again behind a request.
    """
    match data:
        case WebhookDelivered(endpoint_id=None, phase="completed" | "error") if hook.awaits(data.request):
            return FinalHook("delivered", data.request)
        case WebhookAbandoned(endpoint_id=None, phase="completed" | "error") if hook.awaits(data.request):
            return FinalHook("held" if data.reason == HELD else "abandoned", data.request)
        case WebhookRedeliveryRequested() if data.request != hook.request and not hook.is_requested:
            return FinalHook("open", data.request)
    return hook
