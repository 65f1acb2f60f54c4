"""The url and token of a webhook in other bodies than a job's: described and validated as in a job's `webhook`."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

from piperoll.addresses import WEBHOOK_NETWORKS, Network
from schemas.job_types.parameters import WebhookReceiver
from services.api.http.references import require_public
from services.api.http.shapes import FieldsModel


class ReceiverBody(FieldsModel, WebhookReceiver):
    """A body about a receiver of webhooks."""

    _whole: ClassVar[str] = "url"

    @classmethod
    def read_allowed(
        cls,
        values: Mapping[str, Any],
        allowed: Iterable[Network],
        supported: Mapping[str, Iterable[str]] = MappingProxyType({}),
    ) -> Self:
        """Validate `values`; of private addresses those in `allowed` pass. Raises as `read`, and BLOCKED_ADDRESS."""
        body = cls.read(values, supported)
        require_public("url", body.url, allowed, WEBHOOK_NETWORKS)
        return body
