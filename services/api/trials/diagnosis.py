"""The outcome of a trial as a message: the problem, and what to do. Pure (docs/contract/additions.md#trials).

A message contains only the caller's own input, the receiver's status, addresses that are not blocked, and the origin
of a redirect: no other data of the network or of the answer.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

from piperoll.addresses import WEBHOOK_NETWORKS, advice_about
from piperoll.webhooks.attempts import Attempted, Ending
from piperoll.webhooks.origins import origin_of
from schemas.job_types.parameters import Webhook

Json = dict[str, Any]

RETRIED = "The final webhook of a job is tried again for days"
REFUSALS: Mapping[int, str] = {
    404: "The receiver has nothing under this path: check the url.",
    405: "The path does not accept POST: check the url, or make the receiver accept POST there.",
    410: "This status means that no more webhooks are wanted: the webhook of a job is given up at once.",
    413: "The body is too large for the receiver, and those of jobs are larger: raise its limit.",
    429: f"The receiver limits the rate of requests. {RETRIED}, or later if it answers with Retry-After.",
}


def diagnosis(hook: Webhook, webhook_id: str, attempted: Attempted, addresses: Sequence[str]) -> Json:
    """`{ok, reason, message, status, redirect, duration_ms, addresses, webhook_id}`.

    `reason` is the one that a job's deliveries would have, None if the webhook arrived. `addresses` are those to which
    the name resolved; empty if it did not resolve, or to a blocked address.
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
    """The origin of a Location; None if there is no Location, or if it is not an HTTP URL."""
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
            return f"The name {host} leads to a blocked address: {advice_about(WEBHOOK_NETWORKS)}."
        case Ending.TLS:
            return (
                f"No secure connection to {origin} was established{why}: the receiver must speak TLS at this port, with"
                f" a valid certificate for {host} and all intermediate certificates."
            )
        case Ending.CONNECTION if attempted.connected:
            return (
                "The receiver closed the connection without an HTTP answer: check its log, and that it speaks"
                f" {scheme} on this port."
            )
        case Ending.CONNECTION:
            return (
                f"No connection to {origin} was established{why}: check that the receiver runs, that it listens on this"
                " port for other machines too, and that no firewall rejects Piperoll."
            )
        case Ending.UNREADABLE | Ending.OURS:
            return "This url and token do not make a valid request: check that both are plain text without line ends."


def _answered(hook: Webhook, status: int, redirect: str | None) -> str:
    if 200 <= status < 300:
        return f"The webhook arrived: the receiver answered {status}."
    if 300 <= status < 400:
        where = "elsewhere" if redirect is None else f"to {redirect}"
        return (
            f"The receiver answered {status}, which leads {where}. Redirects are not followed: use the url to which"
            " it leads."
        )
    return f"The receiver answered {status}. {_refusal(hook, status)}"


def _refusal(hook: Webhook, status: int) -> str:
    if status in (401, 403):
        if hook.token is None:
            return "The receiver requires authentication: give the token that it expects."
        return "The receiver rejects the token, which was sent as Authorization: Bearer and X-Callback-Token: check it."
    if status >= 500:
        return f"The receiver failed: check its log. {RETRIED}."
    return REFUSALS.get(status, "The receiver refuses the request: check its log. A test has the phase test.")


def _late(origin: str, attempted: Attempted, resolved: bool) -> str:
    waited = f"within {attempted.duration_ms / 1000:.0f} s"
    if not resolved:
        return f"The name service did not answer {waited}: check the name servers of the url's domain."
    if not attempted.connected:
        return (
            f"No connection to {origin} was established {waited}: check that the host is up, and that no firewall drops"
            " the packets."
        )
    return f"The receiver accepted the connection but did not answer {waited}: answer 2xx first, then do the work."
