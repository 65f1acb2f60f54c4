"""The receiver of a job's hooks, from its stored parameters. Pure."""

from dataclasses import dataclass
from urllib.parse import quote

from pydantic_core import from_json

from piperoll.webhooks.origins import origin_of


class UnreadableWebhookError(ValueError):
    """The stored parameters can never be read: the record goes to the dead letters."""


@dataclass(frozen=True, slots=True)
class JobWebhook:
    """One job's receiver. `token` is sealed; `client_id` is the caller's id of the job; `origin` is for limits."""

    origin: str
    url: str
    token: str | None
    client_id: str


def parse_webhook(content: bytes, job_id: str) -> JobWebhook | None:
    """Return the webhook in stored parameters, or None when there is none.

    `{jobId}` in the URL becomes the caller's id of the job (docs/contract/secretary.md#webhooks). Raises
    UnreadableWebhookError.
    """
    try:
        config = from_json(content)["parameters"].get("webhook")
        if config is None:
            return None
        client_id = config.get("jobId") or job_id
        url = config["url"].replace("{jobId}", quote(client_id, safe=""))
        token = config["token"]["sealed"] if config.get("token") else None
        return JobWebhook(origin_of(url), url, token, client_id)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableWebhookError(f"the webhook of {job_id} cannot be read: {error!r}") from error
