"""Where to send a job's hooks, as its parameters document says it. Pure."""

from dataclasses import dataclass
from urllib.parse import quote

from pydantic_core import from_json

from piperoll.webhooks.origins import origin_of


class UnreadableWebhookError(ValueError):
    """The parameters document cannot be understood, now or ever: it goes to the dead letters."""


@dataclass(frozen=True, slots=True)
class JobWebhook:
    """One job's receiver. `token` is sealed; `client_id` is what the caller calls the job; `origin` is for bounds."""

    origin: str
    url: str
    token: str | None
    client_id: str


def parse_webhook(document: bytes, job_id: str) -> JobWebhook | None:
    """The webhook in a parameters document, or None when it has none.

    `{jobId}` in the URL becomes the caller's id of the job (contract 7). Raises UnreadableWebhookError.
    """
    try:
        config = from_json(document)["parameters"].get("webhook")
        if config is None:
            return None
        client_id = config.get("jobId") or job_id
        url = config["url"].replace("{jobId}", quote(client_id, safe=""))
        token = config["token"]["sealed"] if config.get("token") else None
        return JobWebhook(origin_of(url), url, token, client_id)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableWebhookError(f"the webhook of {job_id} cannot be read: {error!r}") from error
