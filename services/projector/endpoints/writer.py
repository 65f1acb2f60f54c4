"""The table of registered endpoints, from their topic. Of the settings it stores the URL, never a secret."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from asyncpg import Connection
from pydantic import ValidationError

from piperoll.claimed_content import ClaimedContent
from piperoll.domain import endpoint as endpoints
from piperoll.domain.endpoint import Endpoint
from piperoll.domain.pending_changes import PendingChanges
from piperoll.outages import Outage
from piperoll.store.blobs import AsyncBlobs, BlobMissingError, BlobUnreadableError
from schemas.claims import Claim
from schemas.documents import EndpointSettings
from schemas.envelope import Fact
from schemas.events import EndpointRegistered
from schemas.read_model_names import READ_SCHEMA
from schemas.topics import ENDPOINT_EVENTS
from services.projector import metrics
from services.projector.database.schema import queries
from services.projector.database.values import columns, optional_text, subjects_of, text
from services.projector.readers.topic_reader import TopicWriter, Write

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class StoredEndpoint:
    """One row, its fields in the order of the statement's arrays. `statuses` are joined by commas."""

    endpoint_id: str
    partition: int
    owner: str
    user_id: str | None
    url: str | None
    statuses: str
    removed: bool
    created_at: datetime
    state: str


class EndpointWriter(TopicWriter):
    """Writes the endpoint events."""

    topic = ENDPOINT_EVENTS
    alias = "endpoints"

    def __init__(self, blobs: AsyncBlobs, outage: Outage, schema: str = READ_SCHEMA) -> None:
        self._contents = ClaimedContent(blobs, outage)
        self._sql = queries("endpoints.sql", schema)

    async def prepare(self, facts: Sequence[Fact]) -> Write:
        """Read the addresses of new endpoints, waiting during outages of the blob store."""
        claims = list({fact.data.settings: None for fact in facts if isinstance(fact.data, EndpointRegistered)})
        return partial(self._write, dict(zip(claims, await asyncio.gather(*map(self._url, claims)), strict=True)))

    async def _url(self, claim: Claim) -> str | None:
        try:
            return text(EndpointSettings.model_validate_json(await self._contents.get(claim)).url)
        except BlobMissingError:
            return None  # removed meanwhile
        except BlobUnreadableError as error:
            metrics.unreadable(self.alias, "settings of an endpoint", claim.uri, error)
            return None
        except ValidationError:
            log.warning("endpoint_settings_unreadable", uri=claim.uri)  # without the error, which would show secrets
            return None

    async def _write(
        self,
        urls: Mapping[Claim, str | None],
        connection: Connection,
        partition: int,
        facts: Sequence[tuple[Fact, int]],
    ) -> None:
        rows = await connection.fetch(self._sql["load"], subjects_of(facts))
        known = {row["endpoint_id"]: row for row in rows}
        folding = project({key: endpoints.CODEC.validate_json(row["state"]) for key, row in known.items()}, facts)
        made = [
            of_endpoint(one, partition, _url_of(one, urls, known[key]["url"] if key in known else None))
            for key, one in folding.items()
        ]
        if made:
            await connection.execute(self._sql["upsert_endpoints"], *columns(made, StoredEndpoint))


def project(known: Mapping[str, Endpoint], facts: Iterable[tuple[Fact, int]]) -> PendingChanges[Endpoint]:
    """The endpoints that `facts`, in offset order, change in a table that contains `known`. Pure."""
    changed = PendingChanges(endpoints.evolve, known)
    for fact, _ in facts:
        changed.fold(text(fact.subject), fact)
    return changed


def of_endpoint(endpoint: Endpoint, partition: int, url: str | None) -> StoredEndpoint:
    """The row of a folded endpoint. Pure."""
    return StoredEndpoint(
        endpoint_id=text(endpoint.endpoint_id),
        partition=partition,
        owner=text(endpoint.owner),
        user_id=optional_text(endpoint.user_id),
        url=url,
        statuses=",".join(map(text, endpoint.statuses)),
        removed=endpoint.removed,
        created_at=endpoint.created_at,
        state=endpoints.CODEC.dump_json(endpoint).decode(),
    )


def _url_of(endpoint: Endpoint, urls: Mapping[Claim, str | None], known: str | None) -> str | None:
    """The URL of an endpoint's settings: just read, or that of the row; None for a removed one."""
    return None if endpoint.settings is None else urls.get(endpoint.settings, known)
