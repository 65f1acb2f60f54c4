"""Rows of registered endpoints: what is projected and what is compared know each other; differences, in sentences."""

from dataclasses import asdict
from typing import Any

import pytest

from piperoll.history import Violation
from piperoll.log.parking import Parking, decode
from piperoll.log.record import Position, partition_of
from schemas.envelope import Fact
from schemas.events import EndpointRegistered, EndpointRemoved
from schemas.topics import ENDPOINT_EVENTS
from services.projector.endpoints.writer import of_endpoint, project
from services.projector.verify.endpoints import EndpointHistory, endpoint_violations
from tests.support.histories.jobs import OWNER, claim, fact, garbage, record

PARTITIONS = 3
URL = "https://example.org/hook?token=secret"
REGISTERED = EndpointRegistered(settings=claim("settings"), statuses=("DONE", "ERROR"), user_id="user")
REMOVED = EndpointRemoved(by=OWNER)


def history_of(*facts: Fact) -> EndpointHistory:
    history = EndpointHistory(PARTITIONS)
    for offset, one in enumerate(facts):
        history.observe(one, Position(partition_of(one.subject, PARTITIONS), offset))
    return history


def rows_of(*facts: Fact) -> list[dict[str, Any]]:
    entries = [decode(record(one, 0, offset, ENDPOINT_EVENTS)) for offset, one in enumerate(facts)]
    folded = project({}, Parking().sift(entries)).values()
    return [_read(asdict(of_endpoint(one, 0, URL if one.settings else None))) for one in folded]


def _read(row: dict[str, Any]) -> dict[str, Any]:
    """The row as Postgres returns it: the statement splits the statuses."""
    return {**row, "statuses": row["statuses"].split(",") if row["statuses"] else []}


def violations(history: EndpointHistory, rows: list[dict[str, Any]]) -> list[Violation]:
    return list(endpoint_violations(history, rows, 0))


def test_a_correct_projection_has_no_differences_from_the_log() -> None:
    facts = [fact("endpoint-a", REGISTERED), fact("endpoint-b", REGISTERED, 1), fact("endpoint-a", REMOVED, 2)]
    assert violations(history_of(*facts), rows_of(*facts)) == []


@pytest.mark.parametrize("name", ["partition", "owner", "user_id", "removed", "created_at", "state"])
def test_a_column_that_differs_is_named(name: str) -> None:
    facts = [fact("endpoint-a", REGISTERED)]
    (row,) = rows_of(*facts)
    (found,) = violations(history_of(*facts), [{**row, name: "another"}])
    assert (found.subject, found.sentence) == ("endpoint-a", f"has another {name} in the tables than in the log")


@pytest.mark.parametrize("statuses", [[], ["DONE"], ["ERROR", "DONE"]])
def test_statuses_that_differ_are_reported(statuses: list[str]) -> None:
    facts = [fact("endpoint-a", REGISTERED)]
    (row,) = rows_of(*facts)
    (found,) = violations(history_of(*facts), [{**row, "statuses": statuses}])
    assert (found.subject, found.sentence) == ("endpoint-a", "has another statuses in the tables than in the log")


def test_an_endpoint_for_all_statuses_has_no_differences() -> None:
    facts = [fact("endpoint-a", EndpointRegistered(settings=claim("settings"), user_id="user"))]
    assert violations(history_of(*facts), rows_of(*facts)) == []


def test_an_address_left_of_a_removed_endpoint_is_reported_without_it() -> None:
    facts = [fact("endpoint-a", REGISTERED), fact("endpoint-a", REMOVED, 1)]
    (row,) = rows_of(*facts)
    (found,) = violations(history_of(*facts), [{**row, "url": URL}])
    assert "url" in found.sentence
    assert "secret" not in found.sentence


def test_missing_and_surplus_rows_are_reported() -> None:
    one, other = fact("endpoint-a", REGISTERED), fact("endpoint-b", REGISTERED)
    assert [str(found.sentence) for found in violations(history_of(one), rows_of(other))] == [
        "is in the tables and not in the log",
        "is in the log and not in the tables",
    ]


def test_a_record_in_a_foreign_partition_is_reported() -> None:
    history = EndpointHistory(PARTITIONS)
    one = fact("endpoint-a", REGISTERED)
    home = partition_of("endpoint-a", PARTITIONS)
    history.observe(one, Position((home + 1) % PARTITIONS, 0))
    (found,) = violations(history, rows_of(one))
    assert (found.invariant, found.subject) == ("I2", "endpoint-a")


def test_what_follows_garbage_under_its_key_is_parked() -> None:
    after, apart = fact("endpoint-a", REGISTERED), fact("endpoint-b", REGISTERED)
    records = [
        garbage("endpoint-a", 0, 0),
        record(after, 0, 1, ENDPOINT_EVENTS),
        record(apart, 0, 2, ENDPOINT_EVENTS),
    ]
    parking = Parking()
    changed = project({}, parking.sift(map(decode, records)))
    assert list(changed) == ["endpoint-b"]
    assert ([one.offset for one, _ in parking.letters], parking.keys) == ([0, 1], {"endpoint-a": 0})
