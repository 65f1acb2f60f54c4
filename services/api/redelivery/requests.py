"""The bodies of requests for redelivery. Pure."""

from datetime import datetime
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from piperoll.webhooks.origins import origin_of
from schemas.fields import MAX_HOOK_URL_BYTES, hook_address
from services.api.http.constraints import Refusal, utc_time
from services.api.http.shapes import RequestModel

_MAX_CHARS: Final = MAX_HOOK_URL_BYTES  # an origin is a part of a webhook's url; the ids of deliveries are shorter


class RedeliverBody(RequestModel):
    """The body of POST /api/jobs/{job_id}/deliveries/redeliver."""

    delivery_id: (
        Annotated[
            str,
            StringConstraints(min_length=1, max_length=_MAX_CHARS),
            Refusal("must be the delivery_id of one of the job's deliveries"),
        ]
        | None
    ) = Field(default=None, description="the delivery to send again, which must be the final one")


def _origin(text: str) -> str:
    url = hook_address(text)
    parts = urlsplit(url)
    if parts.path.rstrip("/") or parts.query or parts.fragment:
        raise ValueError("is more than an origin")
    return origin_of(url)


class RedeliverManyBody(RequestModel):
    """The body of POST /api/deliveries/redeliver: the hooks held or given up at a receiver since a time."""

    dry_run: bool = Field(default=True, description="only count them")
    origin: Annotated[
        str,
        StringConstraints(max_length=_MAX_CHARS),
        AfterValidator(_origin),
        Field(description="scheme://host[:port] of the receiver"),
        Refusal("must be scheme://host or scheme://host:port, such as https://example.com"),
    ]
    since: Annotated[
        datetime,
        BeforeValidator(utc_time),
        Field(description="held or given up at this time or later"),
        Refusal("must be a time with its zone (ISO 8601), such as 2026-01-31T10:00:00Z"),
    ]
