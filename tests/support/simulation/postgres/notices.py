"""The notifier's statements (services/notifier/notices/notices.sql) about registered endpoints and their notices.

Rows that are a month old are not modelled: no course of events is that long.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic_core import from_json, to_json

from services.notifier.notices.queue import SQL
from tests.support.simulation.postgres import leases
from tests.support.simulation.postgres.statement import NEVER, Row, Statement, Tables, by_text, zipped

TABLE, ENDPOINTS, FOLLOWED = "notices", "notifier_endpoints", "followed"
ENDPOINT = ("endpoint_id", "owner", "origin", "url", "token", "secret", "statuses", "since")
GIVEN = ("job_id", "endpoint_id", "owner", "origin", "changes", "taken")
OUTCOME = ("job_id", "endpoint_id", "lease", "number", "attempts", "delay_s")
BLANK: Row = {
    "origin": None,
    "changes": [],
    "attempts": 0,
    "next_attempt_at": None,
    "leased_until": NEVER,
    "leased_by": None,
}


def statements() -> dict[str, Statement]:
    """The statements by their text."""
    named: Mapping[str, Statement] = {
        "endpoints_of": endpoints_of,
        "load_followed": load_followed,
        "save_followed": save_followed,
        "add_notices": add_notices,
        "settle_notices_from_log": settle_notices_from_log,
        "claim": claim,
        "settle": settle,
        "add_endpoint": add_endpoint,
        "end_endpoint": end_endpoint,
        "add_trial": add_trial,
        "unfollowed": unfollowed,
        "forget_followed": forget_followed,
        "ended_endpoint": ended_endpoint,
        "withdraw": withdraw,
        "give_up": give_up,
        **leases.leasing(TABLE),
    }
    return by_text(SQL, named)


# --- endpoints and the folds of jobs -------------------------------------------------------------------------------


def _active(tables: Tables, owner: str) -> list[Row]:
    return [row for row in tables[ENDPOINTS].values() if row["owner"] == owner and row["state"] == "on"]


def endpoints_of(tables: Tables, now: datetime, session: Any, owners: list[str]) -> list[Row]:
    found = [row for owner in sorted(set(owners)) for row in _active(tables, owner)]
    return [{name: row[name] for name in ENDPOINT} for row in found]


def add_endpoint(tables: Tables, now: datetime, session: Any, *values: Any) -> None:
    row = dict(zip(ENDPOINT, values, strict=True))
    tables[ENDPOINTS].setdefault(row["endpoint_id"], {**row, "state": "on"})


def end_endpoint(tables: Tables, now: datetime, session: Any, endpoint_id: str, state: str) -> None:
    row = tables[ENDPOINTS].get(endpoint_id)
    if row is not None and row["state"] != "removed":
        forgotten = dict.fromkeys(("url", "token", "secret")) if state == "removed" else {}
        tables[ENDPOINTS][endpoint_id] = {**row, "state": state, **forgotten}


def load_followed(tables: Tables, now: datetime, session: Any, job_ids: list[str]) -> list[Row]:
    rows = [tables[FOLLOWED][job_id] for job_id in sorted(set(job_ids)) if job_id in tables[FOLLOWED]]
    return [{"job_id": row["job_id"], "job": row["job"]} for row in rows]


def save_followed(tables: Tables, now: datetime, session: Any, *columns: list[Any]) -> None:
    for given in zipped(("job_id", "owner", "sequence", "job"), columns):
        old = tables[FOLLOWED].get(given["job_id"])
        if old is None:
            tables[FOLLOWED][given["job_id"]] = given
        elif old["sequence"] < given["sequence"]:
            tables[FOLLOWED][given["job_id"]] = {**old, "sequence": given["sequence"], "job": given["job"]}


def unfollowed(tables: Tables, now: datetime, session: Any) -> list[Row]:
    owners = sorted({row["owner"] for row in tables[FOLLOWED].values()})
    return [{"owner": owner} for owner in owners if not _active(tables, owner)][:1]


def forget_followed(tables: Tables, now: datetime, session: Any, owner: str, limit: int) -> list[Row]:
    if _active(tables, owner):
        return []
    found = sorted(job_id for job_id, row in tables[FOLLOWED].items() if row["owner"] == owner)[:limit]
    for job_id in found:
        del tables[FOLLOWED][job_id]
    return [{"job_id": job_id} for job_id in found]


# --- notices -------------------------------------------------------------------------------------------------------


def _after(changes: list[Any], number: int) -> list[Any]:
    return [change for change in changes if change["number"] > number]


def add_notices(tables: Tables, now: datetime, session: Any, *columns: list[Any]) -> None:
    for given in zipped(GIVEN, columns):
        key, changes = (given["job_id"], given["endpoint_id"]), from_json(given["changes"])
        old = tables[TABLE].get(key)
        if old is None:
            tables[TABLE][key] = {**BLANK, **given, "changes": changes, "next_attempt_at": now}
        elif old["taken"] < given["taken"]:
            tables[TABLE][key] = {
                **old,
                "origin": given["origin"],
                "changes": old["changes"] + _after(changes, old["taken"]),
                "taken": given["taken"],
                "next_attempt_at": old["next_attempt_at"] or now,
            }


def settle_notices_from_log(tables: Tables, now: datetime, session: Any, *columns: list[Any]) -> None:
    for given in zipped(("job_id", "endpoint_id", "owner", "taken"), columns):
        key, taken = (given["job_id"], given["endpoint_id"]), given["taken"]
        old = tables[TABLE].get(key)
        if old is None:
            tables[TABLE][key] = {**BLANK, **given}
        elif old["taken"] < taken or (old["changes"] and old["changes"][0]["number"] <= taken):
            left = _after(old["changes"], taken)
            tables[TABLE][key] = {
                **old,
                "taken": max(old["taken"], taken),
                "attempts": 0,
                "changes": left,
                "next_attempt_at": now if left else None,
            }


def claim(
    tables: Tables,
    now: datetime,
    session: Any,
    owners: list[str],
    origins: list[str],
    rooms: list[int],
    lease_s: float,
    instance: str,
) -> list[Row]:
    until, found = now + timedelta(seconds=lease_s), []
    for row in leases.due(tables, TABLE, now, owners, origins, rooms):
        if (endpoint := tables[ENDPOINTS].get(row["endpoint_id"])) is None:
            continue
        taken = {**row, "leased_until": until, "leased_by": instance}
        tables[TABLE][row["job_id"], row["endpoint_id"]] = taken
        kept = {name: taken[name] for name in ("job_id", "endpoint_id", "owner", "origin", "attempts", "leased_until")}
        change = to_json(row["changes"][0]).decode() if row["changes"] else None
        url = endpoint["url"] if endpoint["state"] == "on" else None
        found.append({**kept, "change": change, "url": url, "token": endpoint["token"], "secret": endpoint["secret"]})
    return found


def settle(tables: Tables, now: datetime, session: Any, *columns: list[Any]) -> list[Row]:
    found = []
    for given in zipped(OUTCOME, columns):
        row = tables[TABLE].get((given["job_id"], given["endpoint_id"]))
        if row is None or row["leased_until"] != given["lease"] or not row["changes"]:
            continue
        if row["changes"][0]["number"] != given["number"]:
            continue
        after = _advanced(row, now) if given["delay_s"] is None else {**row, "attempts": given["attempts"]}
        if given["delay_s"] is not None:
            after["next_attempt_at"] = now + timedelta(seconds=given["delay_s"])
        tables[TABLE][row["job_id"], row["endpoint_id"]] = {**after, "leased_until": NEVER}
        at = after["next_attempt_at"]
        in_s = None if at is None else (at - now).total_seconds()
        found.append({**{name: row[name] for name in ("job_id", "endpoint_id", "owner", "origin")}, "in_s": in_s})
    return found


def _advanced(row: Row, now: datetime) -> Row:
    """A row whose first change is done with."""
    left = row["changes"][1:]
    return {**row, "attempts": 0, "changes": left, "next_attempt_at": now if left else None}


def add_trial(tables: Tables, now: datetime, session: Any, endpoint_id: str, trial_id: str, change: str) -> list[Row]:
    endpoint = tables[ENDPOINTS].get(endpoint_id)
    if endpoint is None or endpoint["state"] != "on" or (trial_id, endpoint_id) in tables[TABLE]:
        return []
    known = {"job_id": trial_id, "endpoint_id": endpoint_id, "owner": endpoint["owner"], "origin": endpoint["origin"]}
    row = {**BLANK, **known, "changes": [from_json(change)], "taken": 1, "next_attempt_at": now}
    tables[TABLE][trial_id, endpoint_id] = row
    return [{"owner": endpoint["owner"], "origin": endpoint["origin"]}]


def ended_endpoint(tables: Tables, now: datetime, session: Any) -> list[Row]:
    named = sorted({row["endpoint_id"] for row in tables[TABLE].values() if row["next_attempt_at"] is not None})
    known = [tables[ENDPOINTS][endpoint_id] for endpoint_id in named if endpoint_id in tables[ENDPOINTS]]
    return [{"endpoint_id": row["endpoint_id"], "state": row["state"]} for row in known if row["state"] != "on"][:1]


def withdraw(tables: Tables, now: datetime, session: Any, endpoint_id: str, limit: int) -> list[Row]:
    rows = [row for _, row in sorted(tables[TABLE].items()) if row["endpoint_id"] == endpoint_id]
    found = [row for row in rows if row["next_attempt_at"] is not None][:limit]
    for row in found:
        empty = {"changes": [], "attempts": 0, "next_attempt_at": None}
        tables[TABLE][row["job_id"], endpoint_id] = {**row, **empty}
    return [_given_up(row, row["changes"]) for row in found]


def give_up(tables: Tables, now: datetime, session: Any, limit: int, patience_s: float, log_now: datetime) -> list[Row]:
    horizon = log_now - timedelta(seconds=patience_s)
    rows = [row for _, row in sorted(tables[TABLE].items()) if row["next_attempt_at"] and row["leased_until"] < now]
    found = [row for row in rows if row["changes"] and datetime.fromisoformat(row["changes"][0]["at"]) < horizon]
    for row in found[:limit]:
        tables[TABLE][row["job_id"], row["endpoint_id"]] = _advanced(row, now)
    return [_given_up(row, row["changes"][:1]) for row in found[:limit]]


def _given_up(row: Row, changes: list[Any]) -> Row:
    kept = {name: row[name] for name in ("job_id", "endpoint_id", "owner", "attempts")}
    return {**kept, "changes": to_json(changes).decode()}
