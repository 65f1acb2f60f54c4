"""The statements of the dispatcher: claims, outcomes, and final hooks that end without a further attempt."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from tests.support.simulation.postgres.statement import NEVER, Row, Statement, Tables, zipped

CLAIMED = ("job_id", "owner", "origin", "url", "token", "client_id", "job", "progress", "progress_attempted",
           "progress_muted", "final_phase", "final_at", "attempts", "attempts_before", "request",
           "leased_until")  # fmt: skip
OUTCOME = ("job_id", "lease", "state", "attempts", "progress_number", "mute", "delay_s")
ENDED = ("job_id", "owner", "origin", "request", "final_phase", "attempts")


def without_receiver(row: Row) -> Row:
    """A settled row of an erased job: the receiver is forgotten."""
    return {**row, "url": None, "token": None} if row["erased"] else row


def leasing(table: str) -> dict[str, Statement]:
    """The statements that both queues have (services/notifier/delivery/leasing.sql)."""

    def due_receivers(
        tables: Tables, now: datetime, session: Any, owners: list[str], after: list[str], most: int
    ) -> list[Row]:
        first: dict[tuple[str, str], datetime] = {}
        begin = dict(zip(owners, after, strict=True))
        for row in tables[table].values():
            if (at := row["next_attempt_at"]) is not None and row["origin"] is not None:
                key = row["owner"], row["origin"]
                if row["origin"] > begin.get(row["owner"], ""):
                    first[key] = min(at, first.get(key, at))
        found: list[Row] = []
        taken: Counter[str] = Counter()
        for (owner, origin), at in sorted(first.items()):
            taken[owner] += 1
            if taken[owner] <= most:
                found.append({"owner": owner, "origin": origin, "in_s": (at - now).total_seconds()})
        return found

    def release(tables: Tables, now: datetime, session: Any, instance: str) -> None:
        for key, row in tables[table].items():
            if row["next_attempt_at"] is not None and row["leased_by"] == instance and row["leased_until"] > now:
                tables[table][key] = {**row, "leased_until": NEVER}

    return {"due_receivers": due_receivers, "release": release}


def due(
    tables: Tables, table: str, now: datetime, owners: list[str], origins: list[str], rooms: list[int]
) -> list[Row]:
    """The rows that a claim takes."""
    found = []
    for *receiver, room in zip(owners, origins, rooms, strict=True):
        of_receiver = [row for row in tables[table].values() if [row["owner"], row["origin"]] == receiver]
        rows = [row for row in of_receiver if _may_be_claimed(row, now)]
        found += sorted(rows, key=lambda one: one["next_attempt_at"])[:room]
    return found


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
    for row in due(tables, "queue", now, owners, origins, rooms):
        taken = {**row, "leased_until": until, "leased_by": instance}
        tables["queue"][row["job_id"]] = taken
        found.append({name: taken[name] for name in CLAIMED})
    return found


def _may_be_claimed(row: Row, now: datetime) -> bool:
    return bool(row["next_attempt_at"] is not None and row["next_attempt_at"] <= now and row["leased_until"] < now)


def settle(tables: Tables, now: datetime, session: Any, *columns: list[Any]) -> list[Row]:
    found = []
    for given in zipped(OUTCOME, columns):
        row = tables["queue"].get(given["job_id"])
        if row is None or row["leased_until"] != given["lease"] or row["state"] != "open":
            continue
        after = _settled(row, given, now)
        tables["queue"][row["job_id"]] = after
        at = after["next_attempt_at"]
        in_s = None if at is None else (at - now).total_seconds()
        found.append({**{name: row[name] for name in ("job_id", "owner", "origin")}, "in_s": in_s})
    return found


def _settled(row: Row, given: Row, now: datetime) -> Row:
    number, handled = row["progress_number"], given["progress_number"]
    after = {
        **row,
        "leased_until": NEVER,
        "state": given["state"],
        "attempts": given["attempts"],
        "progress_attempted": row["progress_attempted"] or handled is not None,
        "progress_muted": row["progress_muted"] or given["mute"],
        "progress": row["progress"] if number is not None and number > (handled or 0) else None,
    }
    newer = number is not None and handled is not None and number > handled
    if given["state"] != "open":
        after["next_attempt_at"] = None
        return without_receiver(after)
    if given["delay_s"] is not None:
        after["next_attempt_at"] = now + timedelta(seconds=given["delay_s"])
    elif row["final_phase"] is not None or (newer and not after["progress_muted"]):
        after["next_attempt_at"] = now
    else:
        after["next_attempt_at"] = None
    return after


def hold_late(tables: Tables, now: datetime, session: Any, limit: int) -> list[Row]:
    late = [job_id for job_id, row in sorted(tables["queue"].items()) if row["state"] == "late"]
    return [_end(tables, job_id, "held") for job_id in late[:limit]]


def give_up(tables: Tables, now: datetime, session: Any, limit: int, patience_s: float, log_now: datetime) -> list[Row]:
    patience = timedelta(seconds=patience_s)
    old = [
        job_id
        for job_id, row in sorted(tables["queue"].items())
        if row["next_attempt_at"] is not None
        and _has_passed(row, now - patience, log_now - patience)
        and row["leased_until"] < now
    ]
    return [_end(tables, job_id, "abandoned") for job_id in old[:limit]]


def _has_passed(row: Row, horizon: datetime, log_horizon: datetime) -> bool:
    if row["reopened_at"] is not None:
        return bool(row["reopened_at"] < horizon)
    return row["final_at"] is not None and row["final_at"] < log_horizon


def _end(tables: Tables, job_id: str, state: str) -> Row:
    row = {**tables["queue"][job_id], "state": state, "next_attempt_at": None, "progress": None}
    tables["queue"][job_id] = without_receiver(row)
    return {name: row[name] for name in ENDED}


def homeless(tables: Tables) -> list[Row]:
    """Requested redeliveries without a receiver: their end is not modelled, so there must be none."""
    rows = tables["queue"].values()
    found = [row for row in rows if row["state"] == "open" and row["request"] is not None and row["url"] is None]
    assert found == [], "the model has no statement for these"
    return found
