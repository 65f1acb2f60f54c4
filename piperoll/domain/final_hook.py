"""How the hook that tells a job's end stands, as the deliveries say it. Whether there is one, the job says."""

from dataclasses import dataclass, replace
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


def evolve(hook: FinalHook, data: Event) -> FinalHook:
    """The hook after a fact of its job's deliveries, in the order of the log. Total.

    Returns the same object exactly when the fact does not count: what is about other hooks, a repeat, a request
    while another one is open, and an outcome of an earlier life that was appended again behind a request.
    """
    match data:
        case WebhookDelivered(endpoint_id=None, phase="completed" | "error"):
            return _settled(hook, "delivered", data.request)
        case WebhookAbandoned(endpoint_id=None, phase="completed" | "error", reason=reason):
            return _settled(hook, "held" if reason == HELD else "abandoned", data.request)
        case WebhookRedeliveryRequested(request=request):
            if request == hook.request or (hook.state == "open" and hook.request is not None):
                return hook
            return FinalHook("open", request)
        case _:
            return hook


def _settled(hook: FinalHook, state: State, request: str | None) -> FinalHook:
    """An outcome; a hook without a request takes that of its outcome, since the request may be kept no longer."""
    if hook.state != "open" or hook.request not in (None, request):
        return hook
    return replace(hook, state=state, request=request)
