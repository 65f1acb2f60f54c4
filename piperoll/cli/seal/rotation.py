"""Seals again, with the first sealing key, what older keys sealed in Postgres. Idempotent; works beside the services.

These are the texts that are opened for each webhook. The blobs of parameters and of endpoints' settings have sealed
tokens too, which stay as they are: the log names the hash of each blob.
"""

from dataclasses import dataclass

import asyncpg

from piperoll.postgres import load_queries
from piperoll.seal import Seal, SealError

_SQL = load_queries("piperoll.cli.seal", "rotation.sql")


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed texts, and the column that names its row."""

    what: str
    table: str
    row: str
    column: str

    def statement(self, name: str) -> str:
        """Return a statement of rotation.sql for this column."""
        return _SQL[name].format(table=self.table, row=self.row, column=self.column)


COLUMNS = (
    SealedColumn("secrets of signing keys", "access.signing_keys", "key_id", "secret"),
    SealedColumn("private signing keys", "access.signing_keys", "key_id", "private_key"),
    SealedColumn("tokens of jobs' webhooks", "notifier.queue", "job_id", "token"),
    SealedColumn("tokens of endpoints", "notifier.endpoints", "endpoint_id", "token"),
    SealedColumn("secrets of endpoints", "notifier.endpoints", "endpoint_id", "secret"),
)


@dataclass(slots=True)
class RotatedTexts:
    """How many texts of a column were sealed again, and how many no configured key opens."""

    what: str
    sealed: int = 0
    unreadable: int = 0


async def rotate(connection: asyncpg.Connection, seal: Seal) -> list[RotatedTexts]:
    """Seal everything again that the first key did not seal; return the counts by column."""
    return [await _rotate_column(connection, seal, column) for column in COLUMNS]


async def _rotate_column(connection: asyncpg.Connection, seal: Seal, column: SealedColumn) -> RotatedTexts:
    done = RotatedTexts(column.what)
    if not await connection.fetchval(_SQL["exists"], column.table):
        return done
    last = ""
    while rows := await connection.fetch(column.statement("sealed_otherwise"), seal.current, last):
        last = rows[-1]["place"]
        found = [(row["place"], row["sealed"], _sealed_again(seal, row["sealed"])) for row in rows]
        readable = [(row, before, after) for row, before, after in found if after is not None]
        done.unreadable += len(found) - len(readable)
        if readable:
            status = await connection.execute(column.statement("replace"), *map(list, zip(*readable, strict=True)))
            done.sealed += int(status.split()[-1])
    return done


def _sealed_again(seal: Seal, sealed: str) -> str | None:
    """Return the text sealed with the first key; None if no key opens it."""
    try:
        return seal.seal(seal.open(sealed))
    except SealError:
        return None
