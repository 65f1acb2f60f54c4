"""Makes the stores as they are one installation, for a person who moved or restored them on purpose.

What is derived from a log and not from this one is deleted: checkpoints of workers, and the delivery queue, which is
read again from the log. The read model stays in use until a rebuild.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from piperoll.installation import marker, tables
from piperoll.installation.identity import Installation
from piperoll.installation.survey import NOTIFIER_SCHEMA, Survey
from piperoll.postgres import AnyConnection
from piperoll.store.blobs import AsyncBlobs
from schemas.read_model_names import READ_SCHEMA


@dataclass(frozen=True, slots=True)
class Plan:
    """What an adoption does to the stores of a survey."""

    schemas: tuple[str, ...]
    drops_notifier: bool
    needs_rebuild: bool
    checkpoints: tuple[str, ...]

    @classmethod
    def of(cls, found: Survey) -> "Plan":
        """Return the plan for what was found."""
        drops = NOTIFIER_SCHEMA in found.foreign
        kept = tuple(schema for schema in found.tables if schema != NOTIFIER_SCHEMA or not drops)
        return cls(kept, drops, READ_SCHEMA in found.foreign, found.checkpoints)

    def sentences(self) -> Iterator[str]:
        """Yield what is done, in order, and what remains to be done by hand."""
        yield "write a new marker into the blob store, and its id into the tables"
        if self.checkpoints:
            yield f"delete {len(self.checkpoints)} checkpoints of workers, which read the log from its beginning then"
        if self.drops_notifier:
            yield (
                "drop the schema notifier: the notifier fills it from the log again, and holds outcomes that are older "
                "than a day"
            )
        if self.needs_rebuild:
            yield "afterwards run `piperoll rebuild`: until then the projector refuses the read model"


async def adopt(blobs: AsyncBlobs, connection: AnyConnection, found: Survey) -> Installation:
    """Carry out the plan for what was found. All services must be stopped. It can be repeated.

    The id is a new one, so that ids of events that clients hold from before are refused. Raises BlobStoreError and
    asyncpg.PostgresError.
    """
    plan, installation = Plan.of(found), Installation.draw(found.log)
    await blobs.delete(plan.checkpoints)
    async with connection.transaction():
        if plan.drops_notifier:
            await tables.drop(connection, NOTIFIER_SCHEMA)
        for schema in plan.schemas:
            await tables.replace(connection, schema, installation)
    await marker.replace(blobs, installation)
    return installation
