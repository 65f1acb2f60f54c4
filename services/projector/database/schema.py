"""The read model's SQL for a schema of any name: the live one, or the one that a rebuild fills.

The statements are written for the live schema; another name replaces it in tables and in the NOTIFY channel, so the
writes of a rebuild are not announced. Contains no query.
"""

import hashlib
import re
from importlib.resources import files

import asyncpg
from asyncpg import Connection

from piperoll.installation.identity import Installation
from piperoll.installation.tables import claim
from piperoll.postgres import MIGRATION_LOCK, load_queries
from schemas.read_model_names import READ_SCHEMA

PACKAGE = "services.projector.database"
TABLES = "read_v1.sql"
COMMENT = re.compile("--.*")
REBUILD_SCHEMA = f"{READ_SCHEMA}_rebuild"
OLDEST_POSTGRES = 18  # the first whose RETURNING gives the row before an update


class OtherShapeError(RuntimeError):
    """The live tables were made by another version of Piperoll. The message names the remedy."""


class OldPostgresError(RuntimeError):
    """The server is too old. The message names the remedy."""


class VectorsMissingError(RuntimeError):
    """Postgres cannot store vectors. The message names the remedy."""


def queries(name: str, schema: str = READ_SCHEMA) -> dict[str, str]:
    """The statements of `name` (an `.sql` file of this folder) by their names, for the tables of `schema`."""
    return {key: sql.replace(READ_SCHEMA, schema) for key, sql in load_queries(PACKAGE, name).items()}


async def create_live_tables(connection: Connection, installation: Installation | None = None) -> None:
    """Create the live tables if missing, in a transaction, and claim them for an installation.

    Raises OtherShapeError, VectorsMissingError, InstallationError.
    """
    await connection.execute(queries("queries.sql")["lock_migrations"], MIGRATION_LOCK)
    await require_shape(connection)
    await create_tables(connection, READ_SCHEMA)
    if installation is not None:
        await claim(connection, READ_SCHEMA, installation)


async def has_other_shape(connection: Connection) -> bool:
    """Whether there are live tables of another version, which this version can neither read nor write."""
    made_by = await connection.fetchval(queries("queries.sql")["made_by"])
    return made_by is not None and made_by != shape_of(_script())


async def require_shape(connection: Connection) -> None:
    """Raises OtherShapeError."""
    if await has_other_shape(connection):
        raise OtherShapeError(
            f"the tables in {READ_SCHEMA} were made by another version of Piperoll: stop its processes and run "
            "`piperoll rebuild`, which creates new ones from the log"
        )


async def discard_other_shape(connection: Connection) -> bool:
    """Drop live tables of another version, if there are any; the next projector fills new ones from the log."""
    if not await has_other_shape(connection):
        return False
    await connection.execute(queries("queries.sql")["discard"])
    return True


async def create_tables(connection: Connection, schema: str) -> None:
    """Create the read model's empty tables in `schema`. Idempotent. Raises OldPostgresError, VectorsMissingError."""
    if (major := connection.get_server_version().major) < OLDEST_POSTGRES:
        raise OldPostgresError(
            f"this is Postgres {major}: Piperoll needs version {OLDEST_POSTGRES} or later, upgrade it"
        )
    try:
        await connection.execute(queries("queries.sql")["make_vectors"])
    except (asyncpg.FeatureNotSupportedError, asyncpg.UndefinedFileError) as error:
        raise VectorsMissingError(
            "this Postgres lacks the extension pgvector: install the package postgresql-18-pgvector on its machine, "
            "or run the image pgvector/pgvector:pg18"
        ) from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise VectorsMissingError(
            "the role of PIPEROLL_POSTGRES_DSN may not create extensions: have an administrator run "
            "`CREATE EXTENSION vector` in this database once"
        ) from error
    script = _script()
    await connection.execute(script.replace(READ_SCHEMA, schema).replace("{shape}", shape_of(script)))


def _script() -> str:
    return files(PACKAGE).joinpath(TABLES).read_text(encoding="utf-8")


def shape_of(script: str) -> str:
    """The hash of the statements, independent of comments and line ends."""
    statements = " ".join(COMMENT.sub("", script).split())
    return hashlib.sha256(statements.encode()).hexdigest()
