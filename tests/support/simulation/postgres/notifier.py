"""The notifier's statements (services/notifier/**/*.sql) about the jobs' own webhooks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.notifier.checkpoints import SQL as CHECKPOINTS
from services.notifier.hooks.queue import SQL as HOOKS
from services.notifier.outbox import SQL as OUTBOX
from services.notifier.readers.server import STARTED as STARTED_AT
from tests.support.simulation.postgres import leases, notices
from tests.support.simulation.postgres.statement import NEVER, Row, Statement, Tables, by_text, one, zipped

GIVEN = ("job_id", "owner", "origin", "url", "token", "client_id", "job", "progress", "progress_number", "final_phase",
         "final_at", "erased", "state", "due")  # fmt: skip
COPIED = ("owner", "origin", "url", "token", "client_id", "job", "final_phase", "final_at", "erased")
BLANK: Row = {
    **dict.fromkeys(GIVEN[1:-1]),
    "erased": False,
    "state": "open",
    "progress_attempted": False,
    "progress_muted": False,
    "attempts": 0,
    "next_attempt_at": None,
    "leased_until": NEVER,
    "leased_by": None,
    "request": None,
    "request_phase": None,
    "attempts_before": 0,
    "reopened_at": None,
}
STARTED = "notifier_checkpoints"


def statements() -> dict[str, Statement]:
    """The statements by their text."""
    hooks: Mapping[str, Statement] = {
        "load_jobs": load_jobs,
        "save_jobs": save_jobs,
        "standings": load_jobs,
        "lock_standings": load_jobs,
        "settle_from_log": settle_from_log,
        "attempts_of": load_jobs,
        "note_attempts": note_attempts,
        "reopen": reopen,
        "claim": leases.claim,
        "settle": leases.settle,
        **leases.leasing("queue"),
        "hold_late": leases.hold_late,
        "give_up": leases.give_up,
        "unroutable": lambda tables, *_: leases.homeless(tables),
    }
    checkpoints: Mapping[str, Statement] = {
        "begin_checkpoints": begin_checkpoints,
        "read_checkpoints": read_checkpoints,
        "hold_checkpoints": read_checkpoints,
        "lock_checkpoint": lambda tables, now, session, topic, part: one(tables[STARTED].get((topic, part))),
        "advance_checkpoint": advance_checkpoint,
        "parked": parked,
        "park": park,
    }
    outbox: Mapping[str, Statement] = {
        "add_to_outbox": add_to_outbox,
        "read_outbox": lambda tables, now, session, limit: [row for _, row in sorted(tables["outbox"].items())][:limit],
        "clear_outbox": clear_outbox,
        "lead_relay": lead_relay,
        "leave_relay": leave_relay,
        "lose_relay_if_silent": lambda *_: None,
        "stay_if_silent": lambda *_: None,
    }
    return {
        **by_text(HOOKS, hooks),
        **by_text(CHECKPOINTS, checkpoints),
        **by_text(OUTBOX, outbox),
        **notices.statements(),
        STARTED_AT: lambda tables, now, session: [{"started": session.server.epoch}],
    }


# --- the queue, as the readers write it ----------------------------------------------------------------------------


def load_jobs(tables: Tables, now: datetime, session: Any, job_ids: list[str]) -> list[Row]:
    return [tables["queue"][job_id] for job_id in sorted(set(job_ids)) if job_id in tables["queue"]]


def save_jobs(tables: Tables, now: datetime, session: Any, part: int, *columns: list[Any]) -> None:
    for given in zipped(GIVEN, columns):
        due_at = now if given.pop("due") else None
        old = tables["queue"].get(given["job_id"])
        if old is None:
            tables["queue"][given["job_id"]] = {**BLANK, **given, "partition": part, "next_attempt_at": due_at}
        else:
            tables["queue"][given["job_id"]] = _updated(old, given, due_at, now)


def _updated(old: Row, given: Row, due_at: datetime | None, now: datetime) -> Row:
    row = {**old, **{name: given[name] for name in COPIED}}
    if due_at is not None:
        row |= {"progress": given["progress"], "progress_number": given["progress_number"]}
    if old["state"] == "open" and old["request"] is None:
        row["state"] = given["state"]
    row["next_attempt_at"] = _next_attempt(old, given, due_at, now)
    return row


def _next_attempt(old: Row, given: Row, due_at: datetime | None, now: datetime) -> datetime | None:
    if old["state"] != "open":
        return None
    if old["request"] is not None:
        known = given["final_phase"] is not None and given["url"] is not None
        return (old["next_attempt_at"] or now) if known else None
    if given["state"] != "open" or (old["progress_muted"] and given["final_phase"] is None):
        return None
    found: datetime | None = due_at or old["next_attempt_at"]
    return found


def settle_from_log(tables: Tables, now: datetime, session: Any, part: int, *columns: list[Any]) -> None:
    for given in zipped(("job_id", "owner", "state", "request"), columns):
        old = tables["queue"].get(given["job_id"])
        if old is None:
            tables["queue"][given["job_id"]] = {**BLANK, **given, "partition": part}
            continue
        row = {**old, "state": given["state"], "request": given["request"], "next_attempt_at": None, "progress": None}
        tables["queue"][given["job_id"]] = leases.without_receiver(row)


def note_attempts(tables: Tables, now: datetime, session: Any, part: int, *columns: list[Any]) -> None:
    for given in zipped(("job_id", "owner", "attempts"), columns):
        old = tables["queue"].get(given["job_id"])
        if old is None:
            tables["queue"][given["job_id"]] = {**BLANK, **given, "partition": part, "progress_muted": True}
        elif old["state"] == "open" and old["request"] is None and old["attempts"] < given["attempts"]:
            noted = {"attempts": given["attempts"], "progress_muted": True, "progress": None}
            tables["queue"][given["job_id"]] = {**old, **noted}


def reopen(tables: Tables, now: datetime, session: Any, part: int, *columns: list[Any]) -> list[Row]:
    found = []
    for given in zipped(("job_id", "owner", "request", "request_phase"), columns):
        old = tables["queue"].get(given["job_id"])
        if old is None:
            row = {**BLANK, **given, "partition": part, "reopened_at": now}
        else:
            sendable = old["url"] is not None and old["final_phase"] is not None
            row = {
                **old,
                **{name: given[name] for name in ("request", "request_phase")},
                "state": "open",
                "reopened_at": now,
                "attempts_before": old["attempts"],
                "progress": None,
                "progress_number": None,
                "leased_until": NEVER,
                "leased_by": None,
                "next_attempt_at": now if sendable else None,
            }
        tables["queue"][given["job_id"]] = row
        found.append({"owner": row["owner"], "origin": row["origin"]})
    return found


# --- checkpoints and the outbox --------------------------------------------------------------------------------------


def begin_checkpoints(
    tables: Tables, now: datetime, session: Any, topic: str, parts: list[int], starts: list[int], cluster: str
) -> None:
    for part, start in zip(parts, starts, strict=True):
        row = {"next_offset": start, "cluster_id": cluster, "last_ce_id": None, "partition": part}
        tables[STARTED].setdefault((topic, part), row)


def read_checkpoints(tables: Tables, now: datetime, session: Any, topic: str) -> list[Row]:
    return [row for (name, _), row in sorted(tables[STARTED].items()) if name == topic]


def advance_checkpoint(
    tables: Tables, now: datetime, session: Any, topic: str, part: int, offset: int, ce_id: str
) -> None:
    row = tables[STARTED][topic, part]
    tables[STARTED][topic, part] = {**row, "next_offset": offset, "last_ce_id": ce_id}


def parked(tables: Tables, now: datetime, session: Any, part: int, prefix: str) -> list[Row]:
    rows = tables["notifier_parked"].values()
    return [row for row in rows if row["partition"] == part and row["job_id"].startswith(prefix)]


def park(tables: Tables, now: datetime, session: Any, part: int, keys: list[str], since: list[int]) -> None:
    for key, offset in zip(keys, since, strict=True):
        tables["notifier_parked"].setdefault(key, {"job_id": key, "partition": part, "since_offset": offset})


def add_to_outbox(tables: Tables, now: datetime, session: Any, *columns: list[Any]) -> None:
    for given in zipped(("ce_id", "job_id", "owner", "time", "type", "data"), columns):
        number = tables.numbers = tables.numbers + 1
        tables["outbox"][number] = {"id": number, **given}


def clear_outbox(tables: Tables, now: datetime, session: Any, numbers: list[int]) -> None:
    for number in numbers:
        tables["outbox"].pop(number, None)


def lead_relay(tables: Tables, now: datetime, session: Any, lock: int) -> list[Row]:
    leader = session.server.leaders.setdefault(lock, session)
    return [{"leads": leader is session}]


def leave_relay(tables: Tables, now: datetime, session: Any, lock: int) -> None:
    if session.server.leaders.get(lock) is session:
        del session.server.leaders[lock]
