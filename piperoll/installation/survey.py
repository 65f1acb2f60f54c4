"""What the stores name as their installation, and what disagrees: for `piperoll doctor` and `piperoll adopt`.

Reads only.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from piperoll.installation import marker, tables
from piperoll.installation.guard import examine
from piperoll.installation.identity import Installation, InstallationError, strangeness
from piperoll.installation.positions import foreign
from piperoll.log.continuity import StoredPosition
from piperoll.log.contract import LogView
from piperoll.log.identity import LogIdentity
from piperoll.postgres import AnyConnection
from piperoll.store.blobs import AsyncBlobs
from schemas.read_model_names import READ_SCHEMA

NOTIFIER_SCHEMA = "notifier"
SCHEMAS = (READ_SCHEMA, NOTIFIER_SCHEMA)


@dataclass(frozen=True, slots=True)
class Survey:
    """The identities as they are.

    `tables` are the ids in the existing tables by schema, None where tables name none. `foreign` are the schemas that
    were filled from another log, with the reason, and `checkpoints` the uris of such checkpoints of workers.
    `problems` are sentences with what to do.
    """

    log: LogIdentity
    marker: Installation | None
    tables: Mapping[str, str | None]
    foreign: Mapping[str, str]
    checkpoints: tuple[str, ...]
    problems: tuple[str, ...]


async def survey(blobs: AsyncBlobs, view: LogView, connection: AnyConnection) -> Survey:
    """Look at all stores. Raises BlobStoreError, asyncpg.PostgresError, and aiokafka's KafkaError."""
    ids = await view.identity()
    problems: list[str] = []
    found = None
    try:
        found = await marker.read(blobs)
        await examine(blobs, view, ids)
    except InstallationError as error:
        problems.append(str(error))
    named: dict[str, str | None] = {}
    strange: dict[str, str] = {}
    for schema in SCHEMAS:
        positions = await tables.positions_of(connection, schema)
        if positions is None:
            continue
        named[schema] = await tables.owner_of(connection, schema)
        if found and (why := strangeness(found.id, named[schema], schema)):
            problems.append(why)
        for (topic, partition), why in (await foreign(view, ids.cluster_id, positions)).items():
            strange.setdefault(schema, f"{topic}, partition {partition}: {why}")
    checkpoints = await _foreign_checkpoints(blobs, view, ids.cluster_id)
    problems += [_sentence(schema, why) for schema, why in strange.items()]
    if checkpoints and not problems:
        problems.append(f"{len(checkpoints)} checkpoints of workers are of another log: run `piperoll adopt`")
    return Survey(ids, found, named, strange, checkpoints, tuple(problems))


def _sentence(schema: str, why: str) -> str:
    remedy = "run `piperoll rebuild`" if schema == READ_SCHEMA else "run `piperoll adopt`, which drops it"
    return f"the tables in {schema} were filled from another log ({why}): {remedy}"


async def _foreign_checkpoints(blobs: AsyncBlobs, view: LogView, cluster_id: str) -> tuple[str, ...]:
    """The uris of checkpoints (`…/{topic}/{partition}`) that are not of this log, or cannot be read."""
    groups: dict[tuple[str, str], dict[int, StoredPosition]] = defaultdict(dict)
    unusable = []
    for uri, position in (await marker.checkpoints(blobs)).items():
        folder, _, partition = uri.rpartition("/")
        if position is None or not partition.isdecimal():
            unusable.append(uri)
        else:
            groups[folder, folder.rpartition("/")[2]][int(partition)] = position
    for (folder, topic), positions in groups.items():
        found = await foreign(view, cluster_id, {topic: positions})
        unusable += [f"{folder}/{partition}" for _, partition in found]
    return tuple(unusable)
