"""The table of registered endpoints, from their topic. Of the settings it keeps the address, never a secret."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog
from asyncpg import Connection
from pydantic import ValidationError

from piperoll.domain import endpoint as endpoints
from piperoll.domain.endpoint import Endpoint
from piperoll.store.blobs import AsyncBlobs, BlobMissingError
from schemas.documents import EndpointSettings
from schemas.events import EndpointRegistered
from schemas.read_model import READ_SCHEMA
from schemas.topics import ENDPOINT_EVENTS
from services.projector.jobs.projection import Entry, Parked, keys_of, text
from services.projector.jobs.rows import columns
from services.projector.readers.outages import Outage
from services.projector.readers.parking import Parking
from services.projector.readers.topic_reader import Write
from services.projector.tables.schema import queries

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class EndpointRow:
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


@dataclass(slots=True)
class Changes(Parked):
    """What some records change. Of each endpoint it holds the last state only."""

    endpoints: dict[str, Endpoint] = field(default_factory=dict)


class EndpointTables:
    """`Tables` of the endpoint events."""

    topic = ENDPOINT_EVENTS
    alias = "endpoints"

    def __init__(self, blobs: AsyncBlobs, parking: Parking, outage: Outage, schema: str = READ_SCHEMA) -> None:
        self._blobs = blobs
        self._parking = parking
        self._outage = outage
        self._sql = queries("endpoints.sql", schema)

    def units(self, entries: Sequence[Entry]) -> Iterable[Sequence[Entry]]:
        """A whole poll is one transaction."""
        return [entries] if entries else []

    async def prepare(self, entries: Sequence[Entry]) -> Write:
        """Reads the addresses that `entries` name, over outages of the blob store."""
        uris = {
            entry.fact.data.settings.uri
            for entry in entries
            if entry.fact is not None and isinstance(entry.fact.data, EndpointRegistered)
        }
        return partial(self._write, await self._outage.outlast(partial(self._read, sorted(uris))))

    async def _read(self, uris: Sequence[str]) -> dict[str, str | None]:
        return dict(zip(uris, await asyncio.gather(*map(self._url, uris)), strict=True))

    async def _url(self, uri: str) -> str | None:
        try:
            return text(EndpointSettings.model_validate_json(await self._blobs.get(uri)).url)
        except BlobMissingError:
            return None  # removed meanwhile
        except ValidationError:
            log.warning("endpoint_settings_unreadable", uri=uri)  # without the error, which would show secrets
            return None

    async def _write(
        self, urls: Mapping[str, str | None], connection: Connection, partition: int, entries: Sequence[Entry]
    ) -> None:
        rows = await connection.fetch(self._sql["load"], keys_of(entries))
        known = {row["key"]: row for row in rows if row["kind"] == "endpoint"}
        changes = project(
            {key: endpoints.CODEC.validate_json(row["state"]) for key, row in known.items()},
            {row["key"] for row in rows if row["kind"] == "parked"},
            entries,
        )
        await self._parking.park_all(connection, partition, changes.park, changes.parked)
        made = [
            of_endpoint(one, partition, _url_of(one, urls, known[key]["url"] if key in known else None))
            for key, one in changes.endpoints.items()
        ]
        if made:
            await connection.execute(self._sql["upsert_endpoints"], *columns(made, EndpointRow))


def project(known: Mapping[str, Endpoint], parked: set[str], entries: Iterable[Entry]) -> Changes:
    """What `entries`, in offset order, change in a table that holds `known`. Pure."""
    changes = Changes()
    for fact, _ in changes.sift(entries, parked):
        endpoint_id = text(fact.subject)
        before = changes.endpoints.get(endpoint_id) or known.get(endpoint_id)
        after = endpoints.evolve(before, fact)
        if after is not None and after is not before:
            changes.endpoints[endpoint_id] = after
    return changes


def of_endpoint(endpoint: Endpoint, partition: int, url: str | None) -> EndpointRow:
    """The row of a folded endpoint. Pure."""
    return EndpointRow(
        endpoint_id=text(endpoint.endpoint_id),
        partition=partition,
        owner=text(endpoint.owner),
        user_id=None if endpoint.user_id is None else text(endpoint.user_id),
        url=url,
        statuses=",".join(map(text, endpoint.statuses)),
        removed=endpoint.removed,
        created_at=endpoint.created_at,
        state=endpoints.CODEC.dump_json(endpoint).decode(),
    )


def _url_of(endpoint: Endpoint, urls: Mapping[str, str | None], known: str | None) -> str | None:
    """The address that the settings hold: just read, or as the row has it; none of a removed one."""
    return None if endpoint.settings is None else urls.get(endpoint.settings.uri, known)
