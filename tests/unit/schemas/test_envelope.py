"""The envelope: what is written is read back, and what is unknown stops the reader."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from piperoll.store.paths import refusal_of
from schemas.envelope import Fact, UnknownEventError, decode, encode
from schemas.events import EVENTS
from tests.support.histories.jobs import BEGAN, created, fact
from tests.support.histories.records import APPENDED, BODY, tampered, texts


def read_back(one: Fact) -> Fact:
    _, value, headers = encode(one)
    return decode(value, headers, APPENDED)


ids = texts.filter(lambda text: refusal_of(text) is None and "/" not in text)
owners = texts.filter(lambda text: refusal_of(text) is None)
times = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))


@given(st.sampled_from(sorted(EVENTS)), st.data(), ids, owners, times)
def test_every_event_is_read_back_as_it_was_written(
    name: str, data: st.DataObject, subject: str, owner: str, time: datetime
) -> None:
    event = data.draw(st.builds(EVENTS[name]))
    one = Fact(id="id", subject=subject, owner=owner, time=time, source="worker", data=event, traceparent="00-aa-bb-01")
    assert read_back(one) == replace(one, appended_at=APPENDED)


def test_the_key_is_the_subject_and_the_headers_are_those_of_cloudevents_binary_mode() -> None:
    key, value, headers = encode(fact("job-a", created()))
    assert key == b"job-a"
    assert from_json(value)["job_type"] == "noop"
    attributes = dict(headers)
    assert attributes.pop("ce_id")
    assert attributes == {
        "ce_specversion": b"1.0",
        "ce_source": b"/piperoll/tests",
        "ce_type": b"piperoll.JobCreated.v1",
        "ce_subject": b"job-a",
        "ce_time": b"2026-01-01T00:00:00Z",
        "ce_dataschema": b"/schemas/json/piperoll.JobCreated.v1.json",
        "ce_owner": b"acme",
        "content-type": b"application/json",
    }


def test_times_are_written_in_utc() -> None:
    local = replace(fact("job-a", BODY), time=datetime(2026, 7, 1, 14, 0, tzinfo=timezone(timedelta(hours=2))))
    assert dict(encode(local)[2])["ce_time"] == b"2026-07-01T12:00:00Z"
    assert read_back(local).time == local.time


def test_a_delay_counts_from_the_append_and_before_it_from_the_writers_time() -> None:
    assert fact("job-a", BODY).known_at == BEGAN
    assert read_back(fact("job-a", BODY)).known_at == APPENDED


def test_fields_of_a_later_writer_are_ignored() -> None:
    _, value, headers = encode(fact("job-a", created()))
    later = {**from_json(value), "colour": "green"}
    assert decode(to_json(later), headers, APPENDED).data == created()


def test_headers_of_somebody_else_are_ignored() -> None:
    _, value, headers = encode(fact("job-a", BODY))
    assert decode(value, [("b3", b"\xff"), *headers, ("ce_partitionkey", b"x")], APPENDED).data == BODY


@pytest.mark.parametrize("name", ["piperoll.JobTeleported.v1", "piperoll.JobCancelled.v2", "piperoll.BatchPaused.v12"])
def test_an_event_of_a_later_release_stops_the_reader(name: str) -> None:
    with pytest.raises(UnknownEventError, match="deploy readers before writers"):
        decode(b"{}", tampered("ce_type", name.encode()), APPENDED)
