"""The row with which the tables of a schema name their installation. Only the service that fills them writes it."""

from collections import defaultdict
from collections.abc import Callable

from piperoll.installation.identity import Installation, InstallationError, strangeness
from piperoll.installation.positions import Positions
from piperoll.log.continuity import StoredPosition
from piperoll.postgres import AnyConnection, OnConnect, load_queries

SQL = load_queries("piperoll.installation", "installation.sql")


async def claim(connection: AnyConnection, schema: str, installation: Installation) -> None:
    """Write the installation into tables that name none. Raises InstallationError for those of another one.

    Tables that were filled from another cluster stay without: their positions are refused when they are read.
    """
    await connection.execute(_sql("create", schema))
    await connection.execute(_sql("claim", schema), installation.id, installation.cluster_id)
    await require(connection, schema, installation)


async def require(connection: AnyConnection, schema: str, installation: Installation) -> None:
    """Raise InstallationError if the tables name another installation."""
    if why := strangeness(installation.id, await owner_of(connection, schema), schema):
        raise InstallationError(why)


async def owner_of(connection: AnyConnection, schema: str) -> str | None:
    """Return the id of the installation that the tables name; None if there are no tables, or they name none."""
    if not await connection.fetchval(_sql("exists", schema)):
        return None
    found = await connection.fetchval(_sql("read", schema))
    return None if found is None else str(found)


async def replace(connection: AnyConnection, schema: str, installation: Installation) -> None:
    """Write the installation over another one."""
    await connection.execute(_sql("create", schema))
    await connection.execute(_sql("replace", schema), installation.id)


async def positions_of(connection: AnyConnection, schema: str) -> Positions | None:
    """Return how far the tables are filled, by topic and partition; None if there are no tables."""
    if not await connection.fetchval(_sql("has_positions", schema)):
        return None
    found: Positions = defaultdict(dict)
    for row in await connection.fetch(_sql("positions", schema)):
        position = StoredPosition(row["next_offset"], row["last_ce_id"], row["cluster_id"])
        found[row["topic"]][row["partition"]] = position
    return found


async def drop(connection: AnyConnection, schema: str) -> None:
    """Drop the tables of a schema."""
    await connection.execute(_sql("drop", schema))


def requirement(schema: str, installation: Callable[[], Installation | None]) -> OnConnect:
    """Return a check of each new connection. It passes while the installation is not known."""

    async def check(connection: AnyConnection) -> None:
        if (known := installation()) is not None:
            await require(connection, schema, known)

    return check


def _sql(name: str, schema: str) -> str:
    return SQL[name].replace("{schema}", schema)
