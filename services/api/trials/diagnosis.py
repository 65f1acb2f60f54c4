"""The outcome of a webhook's trial in words: what is wrong, and what to do. Pure (docs/contract/additions.md#trials).

It may name what the caller gave, the receiver's status, addresses that may be called, and the origin that a redirect
leads to: nothing else of the network, and nothing else of the answer.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

from piperoll.webhooks.attempts import Attempted, Ending
from piperoll.webhooks.origins import origin_of
from schemas.job_types.parameters import Webhook

Json = dict[str, Any]

RETRIED = "The final webhook of a job is tried again for days"
REFUSALS: Mapping[int, str] = {
    404: "Nothing is served under this path: check the url.",
    405: "The path takes no POST: check the url, or have it take POST.",
    410: "With that it asks for nothing more, and a job's webhook is given up at once.",
    413: "It takes no body of this size, and those of real webhooks are larger: have it take more.",
    429: f"It takes no more for now. {RETRIED}, or later where it answers Retry-After.",
}


def diagnosis(hook: Webhook, webhook_id: str, attempted: Attempted, addresses: Sequence[str]) -> Json:
    """`{ok, reason, message, status, redirect, duration_ms, addresses, webhook_id}`.

    `reason` is what would stand in the job's deliveries, None where the webhook arrived. `addresses` are those that the
    name led to, none where it led to nothing or to what is blocked.
    """
    redirect = _redirect(hook.url, attempted.location)
    shown = [] if attempted.ending is Ending.BLOCKED_ADDRESS else list(addresses)
    return {
        "ok": attempted.delivered,
        "reason": None if attempted.delivered else attempted.failure,
        "message": _message(hook, attempted, redirect, bool(shown)),
        "status": attempted.status,
        "redirect": redirect,
        "duration_ms": attempted.duration_ms,
        "addresses": shown,
        "webhook_id": webhook_id,
    }


def _redirect(url: str, location: str | None) -> str | None:
    """The origin that a Location leads to; None where there is none, or none of the web."""
    if location is None:
        return None
    try:
        return origin_of(urljoin(url, location))
    except ValueError:
        return None


def _message(hook: Webhook, attempted: Attempted, redirect: str | None, resolved: bool) -> str:
    origin = origin_of(hook.url)
    scheme, _, host = origin.rpartition(":")[0].partition("://")
    why = f" ({attempted.reason})" if attempted.reason else ""
    match attempted.ending:
        case Ending.ANSWERED:
            return _answered(hook, attempted.status or 0, redirect)
        case Ending.TIMEOUT:
            return _late(origin, attempted, resolved)
        case Ending.NAME_NOT_FOUND:
            return f"The name {host} was not found{why}: check how it is spelt, and its DNS records."
        case Ending.BLOCKED_ADDRESS:
            return (
                f"The name {host} leads to a blocked address: private, local and metadata addresses are not called."
                " Give a public one, or have the operator name its network in PIPEROLL_ALLOW_PRIVATE_NETWORKS."
            )
        case Ending.TLS:
            return (
                f"No secure connection to {origin} came about{why}: the receiver must speak TLS at this port, with a"
                f" valid certificate for {host} and those between it and a public authority."
            )
        case Ending.CONNECTION if attempted.connected:
            return (
                "The receiver closed the connection without an answer that is HTTP: see its own log, and whether it"
                f" speaks {scheme} at this port."
            )
        case Ending.CONNECTION:
            return (
                f"No connection to {origin} came about{why}: see that the receiver runs, that it listens at this port"
                " for other machines too, and that no firewall refuses us."
            )
        case Ending.UNREADABLE | Ending.OURS:
            return "No request can be made of this url and token: see that both are plain text without line ends."


def _answered(hook: Webhook, status: int, redirect: str | None) -> str:
    if 200 <= status < 300:
        return f"The webhook arrived: the receiver answered {status}."
    if 300 <= status < 400:
        where = "elsewhere" if redirect is None else f"to {redirect}"
        return (
            f"The receiver answered {status}, which leads {where}. Redirects are not followed: give the url that it"
            " leads to."
        )
    return f"The receiver answered {status}. {_refusal(hook, status)}"


def _refusal(hook: Webhook, status: int) -> str:
    if status in (401, 403):
        if hook.token is None:
            return "It wants to know who calls: give the token that it expects."
        return "It does not take the token, which came as Authorization: Bearer and as X-Callback-Token: check it."
    if status >= 500:
        return f"It failed: see its log. {RETRIED}."
    return REFUSALS.get(status, "It refuses the request: see its log. A test has the phase test.")


def _late(origin: str, attempted: Attempted, resolved: bool) -> str:
    waited = f"within {attempted.duration_ms / 1000:.0f} s"
    if not resolved:
        return f"The name service did not answer {waited}: check the name servers of the url's domain."
    if not attempted.connected:
        return (
            f"No connection to {origin} came about {waited}: see that the host is up, and that no firewall drops what"
            " comes from us."
        )
    return f"The receiver took the request and did not answer {waited}: answer 2xx first, and do the work after that."
