"""Compares the stores of one process: at its start, and from then on periodically, since reconnects are not visible.

Nothing is compared for a job. The tables are compared at each connection to Postgres (`tables`).
"""

import asyncio

import structlog
from aiokafka.errors import KafkaError

from piperoll.clock import happens_within
from piperoll.installation import marker
from piperoll.installation.identity import Installation, InstallationError, disagreement, objection
from piperoll.log.contract import LogView
from piperoll.log.identity import LogIdentity
from piperoll.outages import Outage
from piperoll.store.blobs import AsyncBlobs, BlobStoreError

log = structlog.get_logger()

COMPARE_INTERVAL_S = 30.0
RETRY_S = 2.0  # until the first comparison


async def identify(blobs: AsyncBlobs, view: LogView) -> Installation:
    """Return the installation of a blob store and a log, after writing a marker into a store that has none.

    Raises InstallationError when they do not belong together, BlobStoreError, and aiokafka's KafkaError.
    """
    ids = await view.identity()
    found = await examine(blobs, view, ids)
    if found is None:
        found = await marker.create(blobs, Installation.draw(ids))
        log.info("installation_founded", installation=found.id, cluster_id=found.cluster_id)
    if ids.topics.keys() - found.topics.keys():
        found = found.joined_by(ids)
        await marker.replace(blobs, found)
    return found


async def examine(blobs: AsyncBlobs, view: LogView, ids: LogIdentity) -> Installation | None:
    """Return the installation of a blob store and a log with these ids; None if neither has been used with a marker.

    Writes nothing. Raises as `identify` does.
    """
    if (found := await marker.read(blobs)) is None:
        shown = await marker.evidence(blobs, await marker.has_records(view))
        # Read again: a process that wrote the first blob or record meanwhile had written the marker before.
        if (found := await marker.read(blobs)) is None:
            why = objection(shown, ids)
    if found is not None:
        why = disagreement(found, ids)
    if why:
        raise InstallationError(why)
    return found


class Guard:
    """The identity of the stores of one process. From the first comparison on the blob store needs its marker."""

    def __init__(self, blobs: AsyncBlobs, view: LogView) -> None:
        self._blobs = blobs
        self._view = view
        self._problem: str | None = "the stores were not compared yet"
        self.installation: Installation | None = None

    def problem(self) -> str | None:
        """A sentence while the stores cannot be compared."""
        return self._problem

    async def begin(self, stopping: asyncio.Event) -> Installation:
        """Compare; wait while the blob store does not answer. Raises InstallationError, StoppedWaitingError."""
        return await Outage("the blob store", stopping).outlast(self.compare)

    async def try_once(self) -> None:
        """Compare, if the blob store answers; else `run` does it. Raises InstallationError."""
        try:
            await self.compare()
        except BlobStoreError as error:
            self._away(error)

    async def compare(self) -> Installation:
        """Compare once. Raises InstallationError, BlobStoreError, and aiokafka's KafkaError."""
        found = await identify(self._blobs, self._view)
        if self.installation is not None and found.id != self.installation.id:
            raise InstallationError(
                f"the blob store became that of the installation {found.id}; this process began with "
                f"{self.installation.id}, and has to begin again"
            )
        self.installation, self._problem = found, None
        self._blobs.sync.guard.on = True
        return found

    async def why_not_compared(self) -> str | None:
        """Compare now; return why the stores cannot be compared. Raises InstallationError."""
        try:
            await self.compare()
        except (BlobStoreError, KafkaError, OSError) as error:
            return f"the stores cannot be compared: {error!r}"
        return None

    async def run(self, stopping: asyncio.Event) -> None:
        """Compare until `stopping` is set. Raises InstallationError."""
        while not await happens_within(stopping, RETRY_S if self.installation is None else COMPARE_INTERVAL_S):
            try:
                await self.compare()
            except (KafkaError, OSError) as error:  # the log's own checks report that it is away
                log.info("stores_not_compared", why=repr(error))
            except BlobStoreError as error:
                self._away(error)

    def _away(self, error: BlobStoreError) -> None:
        self._problem = f"the stores cannot be compared: {error}"
        log.warning("stores_not_compared", why=str(error))
