"""The checkpoints in Postgres. The reader advances them in the transaction that writes the rows."""

from asyncpg import Connection

from piperoll.log.continuity import StoredPosition
from schemas.topics import Topic


async def read_or_add(
    connection: Connection, sql: dict[str, str], topic: Topic, cluster_id: str, begins: dict[int, int]
) -> dict[int, StoredPosition]:
    """The checkpoints of the partitions in `begins`, inserted at those offsets if missing."""
    found = {}
    for partition, begin in sorted(begins.items()):
        await connection.execute(sql["add_checkpoint"], topic.name, partition, begin, cluster_id)
        (row,) = await connection.fetch(sql["read_checkpoint"], topic.name, partition)
        found[partition] = StoredPosition(row["next_offset"], row["last_ce_id"], row["cluster_id"])
    return found


async def read(connection: Connection, sql: dict[str, str], topic: Topic) -> dict[int, int]:
    """The next offset of every partition of a topic."""
    return {row["partition"]: row["next_offset"] for row in await connection.fetch(sql["read_checkpoints"], topic.name)}
