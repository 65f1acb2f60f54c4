"""The projector's statements (services/projector/database/*.sql) about jobs, batches, events and deliveries."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import asyncpg

from services.projector.database.schema import queries
from services.projector.deliveries.writer import StoredDelivery
from services.projector.jobs.projection import StoredEvent
from services.projector.jobs.rows import StoredBatch, StoredJob
from tests.support.simulation.postgres.statement import Row, Statement, Tables, by_text, one, zipped

FOLDED = ("owner", "status", "sequence", "created", "erased", "updated_at", "state")
DETAILS = ("user_id", "job_type", "target_id", "created_at")


def statements() -> dict[str, Statement]:
    """The statements by their text."""
    jobs: Mapping[str, Statement] = {
        "add_checkpoint": add_checkpoint,
        "read_checkpoint": lambda tables, now, session, topic, part: one(tables["checkpoints"].get((topic, part))),
        "read_checkpoints": read_checkpoints,
        "lock_checkpoint": lambda tables, now, session, topic, part: one(tables["checkpoints"].get((topic, part))),
        "advance": advance,
        "load": load,
        "parked": parked,
        "park": park,
        "upsert_jobs": upsert_jobs,
        "insert_events": insert_events,
        "upsert_batches": upsert_batches,
        "count_ends": lambda *_: None,  # what it counts is in the jobs, which are judged
        "insert_deliveries": insert_deliveries,
        "expire_deliveries": lambda *_: [{"count": 0}],  # the log in memory keeps all
    }
    search: Mapping[str, Statement] = {
        "folders_of": lambda *_: [],
        "lock": lambda *_: None,
        "drop_index_jobs": lambda *_: None,
    }
    words: Mapping[str, Statement] = {
        "note_unread": lambda *_: None,  # their reader does not run here
        "forget_unread": lambda *_: None,
        "forget_words": lambda *_: None,
    }
    return {
        **by_text(queries("queries.sql"), jobs),
        **by_text(queries("search.sql"), search),
        **by_text(queries("words.sql"), words),
    }


def _names(kind: type) -> tuple[str, ...]:
    return tuple(column.name for column in fields(kind))


def add_checkpoint(
    tables: Tables, now: datetime, session: Any, topic: str, part: int, begin: int, cluster: str
) -> None:
    tables["checkpoints"].setdefault((topic, part), {"next_offset": begin, "cluster_id": cluster, "last_ce_id": None})


def read_checkpoints(tables: Tables, now: datetime, session: Any, topic: str) -> list[Row]:
    return [{**row, "partition": part} for (name, part), row in tables["checkpoints"].items() if name == topic]


def advance(
    tables: Tables, now: datetime, session: Any, topic: str, part: int, offset: int, ce_id: str, alias: str
) -> None:
    row = tables["checkpoints"][topic, part]
    tables["checkpoints"][topic, part] = {**row, "next_offset": offset, "last_ce_id": ce_id}


def load(tables: Tables, now: datetime, session: Any, keys: list[str]) -> list[Row]:
    found = []
    for key in keys:
        if (job := tables["jobs"].get(key)) is not None and job["sequence"] > 0:
            found.append({"kind": "job", "key": key, "state": job["state"]})
        if (batch := tables["batches"].get(key)) is not None:
            found.append({"kind": "batch", "key": key, "state": batch["state"]})
    return [_Tuple(row) for row in found]


class _Tuple(dict[str, Any]):
    """A row that is unpacked by position, as a record of asyncpg."""

    def __iter__(self) -> Any:
        return iter(self.values())


def parked(tables: Tables, now: datetime, session: Any, part: int, prefix: str) -> list[Row]:
    rows = tables["parked"].values()
    return [row for row in rows if row["partition"] == part and row["job_id"].startswith(prefix)]


def park(tables: Tables, now: datetime, session: Any, keys: list[str], since: list[int], part: int) -> None:
    for key, offset in zip(keys, since, strict=True):
        tables["parked"].setdefault(key, {"job_id": key, "partition": part, "since_offset": offset})


def upsert_jobs(tables: Tables, now: datetime, session: Any, *columns: list[Any]) -> None:
    for new in zipped(_names(StoredJob), columns):
        old = tables["jobs"].get(new["job_id"])
        tables["jobs"][new["job_id"]] = new if old is None else _merged(old, new)


def _merged(old: Row, new: Row) -> Row:
    row = dict(old)
    for name in ("batch_id", "batch_index"):
        row[name] = new[name] if new[name] is not None else old[name]
    if new["created"] or (new["sequence"] == 0 and not old["created"]):
        row |= {name: new[name] for name in DETAILS}
    if new["sequence"] > old["sequence"]:
        row |= {name: new[name] for name in FOLDED}
    return row


def insert_events(tables: Tables, now: datetime, session: Any, part: int, *columns: list[Any]) -> None:
    for new in zipped(_names(StoredEvent), columns):
        key = new["job_id"], new["sequence"]
        if key in tables["events"]:
            raise asyncpg.UniqueViolationError(f"event {key} exists")
        tables["events"][key] = {**new, "partition": part}


def upsert_batches(tables: Tables, now: datetime, session: Any, *columns: list[Any]) -> None:
    for new in zipped(_names(StoredBatch), columns):
        old = tables["batches"].get(new["batch_id"])
        changed = {"log_offset": new["log_offset"], "state": new["state"]}
        tables["batches"][new["batch_id"]] = new if old is None else {**old, **changed}


def insert_deliveries(tables: Tables, now: datetime, session: Any, *columns: list[Any]) -> None:
    for new in zipped(_names(StoredDelivery), columns):
        tables["deliveries"].setdefault((new["job_id"], new["ce_id"]), new)
