"""Old events stay readable: recorded records of every event type and version lead every reader to recorded states.

A golden file is never rewritten, by hand or by a program: one that no longer holds is a broken promise to every
installation whose log has such records. See tests/golden/README.md.
"""

import json
from typing import Any

import pytest

from schemas.events import EVENTS
from tests.support.golden.histories import GoldenHistory, golden_histories
from tests.support.golden.readers import READERS

HISTORIES = golden_histories()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("history", HISTORIES, ids=lambda one: one.name)
def test_every_reader_reaches_the_recorded_states(history: GoldenHistory, reader: str) -> None:
    expected = history.expected[reader]
    assert known_columns(READERS[reader](history.records), expected) == expected


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_version_of_every_event_has_a_golden_record(name: str) -> None:
    recorded = {record.ce_type for history in HISTORIES for record in history.records}
    expected = {f"piperoll.{name}.v{version}" for version in range(1, EVENTS[name].version + 1)}
    assert expected <= recorded, f"add a history with {expected - recorded} to tests/golden/histories"


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_every_field_of_every_event_is_in_a_golden_record(name: str) -> None:
    current = EVENTS[name].type_name()
    bodies = [body_of(record.value) for one in HISTORIES for record in one.records if record.ce_type == current]
    missing = set(EVENTS[name].model_fields).difference(*bodies)
    assert not missing, f"add a history with these fields of {current} to tests/golden/histories"


def test_a_field_that_was_added_later_is_absent_from_an_older_record() -> None:
    """So that its default is tested, not only its value."""
    without = {(record.ce_type, "unchecked" in body_of(record.value)) for one in HISTORIES for record in one.records}
    assert {("piperoll.JobCreated.v1", True), ("piperoll.JobCreated.v1", False)} <= without


def body_of(value: bytes | None) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(value or b"{}")
    return body


def known_columns(found: Any, expected: Any) -> Any:
    """What was found, without columns of rows that were added after the recording."""
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        return [known_columns(one, other) for one, other in zip(found, expected, strict=True)]
    if isinstance(found, dict) and isinstance(expected, dict):
        rows = {name for name, value in found.items() if isinstance(value, list)} & set(expected)
        return {name: known_columns(value, expected[name]) if name in rows else value for name, value in found.items()}
    return found
