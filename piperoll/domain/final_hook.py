"""The fold of a job's final webhook, from the facts of its deliveries. The job's facts decide whether there is one."""

from dataclasses import dataclass
from typing import Literal

from schemas.events import Event, WebhookAbandoned, WebhookDelivered, WebhookRedeliveryRequested

HELD = "TOO_OLD"
"""The reason of a webhook that was never attempted, because its job had ended too long before."""

State = Literal["open", "delivered", "held", "abandoned"]


@dataclass(frozen=True, slots=True)
class FinalHook:
    """Open while attempts follow, then settled, and open again after a redelivery request.

    `request` is the request that it is, or was, sent for; None before any redelivery.
    """

    state: State = "open"
    request: str | None = None

    @property
    def is_requested(self) -> bool:
        """Whether a redelivery is open."""
        return self.state == "open" and self.request is not None

    def awaits(self, request: str | None) -> bool:
        """Whether an outcome for `request` counts: for the same request, or if the hook's own request is unknown."""
        return self.state == "open" and self.request in (None, request)


def evolve(hook: FinalHook, data: Event) -> FinalHook:
    """The hook after a fact of its job's deliveries, in the order of the log. Total.

    Returns the same object exactly when the fact does not count: facts about other hooks, a repeat, a request while
    another one is open, and an outcome from before a request that was appended again after it.
    """
    match data:
        case WebhookDelivered(endpoint_id=None, phase="completed" | "error") if hook.awaits(data.request):
            return FinalHook("delivered", data.request)
        case WebhookAbandoned(endpoint_id=None, phase="completed" | "error") if hook.awaits(data.request):
            return FinalHook("held" if data.reason == HELD else "abandoned", data.request)
        case WebhookRedeliveryRequested() if data.request != hook.request and not hook.is_requested:
            return FinalHook("open", data.request)
    return hook
