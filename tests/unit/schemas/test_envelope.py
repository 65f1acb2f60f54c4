"""The envelope: what is written is read back, what is unknown stops the reader, and garbage is named as such."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from schemas import upcasters
from schemas.envelope import Fact, Headers, UndecodableRecordError, UnknownEventError, decode, encode
from schemas.events import EVENTS, MAX_DELAY_S, Event, JobCancelled, JobCreated, JobRetryScheduled
from tests.support.histories.jobs import BEGAN, claim, created, fact

APPENDED = BEGAN + timedelta(seconds=3)
BODY = JobCancelled(by="acme")


def read_back(one: Fact) -> Fact:
    _, value, headers = encode(one)
    return decode(value, headers, APPENDED)


def tampered(name: str, value: bytes | None) -> Headers:
    """The headers of a good record with one of them changed."""
    _, _, headers = encode(fact("job-a", BODY))
    return [(known, value if known == name else content) for known, content in headers]  # type: ignore[misc]


texts = st.text(st.characters(codec="utf-8"), max_size=40)


@given(st.sampled_from(sorted(EVENTS)), st.data(), texts, texts, st.datetimes(timezones=st.just(UTC)))
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


@pytest.mark.parametrize(
    ("header", "value", "reason"),
    [
        ("ce_type", b"com.example.Order.v1", "not one of Piperoll's"),
        ("ce_type", b"piperoll.JobCancelled", "names no version"),
        ("ce_type", b"piperoll.JobCancelled.vx", "names no version"),
        ("ce_type", b"piperoll.JobCancelled.v0", "names no version"),
        ("ce_type", b"piperoll.JobCancelled.v" + b"9" * 5000, "digits"),
        ("ce_type", None, "the header ce_type is missing"),
        ("ce_owner", None, "the header ce_owner is missing"),
        ("ce_subject", b"\xff\xfe", "utf-8"),
        ("ce_time", b"yesterday", "isoformat"),
        ("ce_time", b"2026-01-01T00:00:00", "no time zone"),
    ],
)
def test_a_bad_header_is_named(header: str, value: bytes | None, reason: str) -> None:
    with pytest.raises(UndecodableRecordError, match=reason):
        decode(b'{"by": "acme"}', tampered(header, value), APPENDED)


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_subject", "ce_owner", "ce_time", "ce_source"])
def test_a_missing_header_is_named(name: str) -> None:
    _, value, headers = encode(fact("job-a", BODY))
    with pytest.raises(UndecodableRecordError, match=f"the header {name} is missing"):
        decode(value, [pair for pair in headers if pair[0] != name], APPENDED)


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b"null", b'{"by": 1}', b"{}", b"[" * 10_000, b"\xff"])
def test_a_body_that_is_not_the_events_is_undecodable(value: bytes | None) -> None:
    with pytest.raises(UndecodableRecordError):
        decode(value, tampered("ce_id", b"1"), APPENDED)


@pytest.mark.parametrize("delay", ["Infinity", "NaN", "1e300", "-1", str(MAX_DELAY_S + 1)])
def test_a_retry_at_a_time_that_there_is_not_is_undecodable(delay: str) -> None:
    """The fold adds it to a time: what it accepts, it must be able to compute."""
    body = f'{{"run": "r", "error_code": "TIMEOUT", "delay_s": {delay}}}'.encode()
    with pytest.raises(UndecodableRecordError):
        decode(body, tampered("ce_type", JobRetryScheduled.type_name().encode()), APPENDED)


header_names = st.sampled_from([name for name, _ in encode(fact("job-a", BODY))[2]]) | st.text(max_size=10)
type_names = st.builds(
    "piperoll.{}.v{}".format, st.sampled_from([*EVENTS, "Nothing"]), st.integers(-1, 3) | st.text(max_size=3)
)
header_values = st.none() | st.binary(max_size=40) | st.one_of(texts, type_names).map(str.encode)
bodies = (
    st.none()
    | st.binary(max_size=80)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=5,
    ).map(to_json)
)


@given(bodies, st.lists(st.tuples(header_names, header_values), max_size=6), st.booleans())
@example(None, [], False)
def test_nothing_that_a_record_can_hold_raises_anything_else(
    value: bytes | None, headers: list[tuple[str, Any]], beside_good_ones: bool
) -> None:
    good = encode(fact("job-a", BODY))[2] if beside_good_ones else []
    with contextlib.suppress(UndecodableRecordError, UnknownEventError):
        decode(value, [*good, *headers], APPENDED)


@given(st.sampled_from(sorted(EVENTS)), st.data())
def test_no_change_of_one_field_raises_anything_else(name: str, data: st.DataObject) -> None:
    event = data.draw(st.builds(EVENTS[name]))
    _, value, headers = encode(fact("job-a", event))
    body = from_json(value)
    field = data.draw(st.sampled_from(sorted(EVENTS[name].model_fields)))
    body[field] = data.draw(st.none() | st.booleans() | st.floats() | st.integers() | texts | st.lists(st.integers()))
    with contextlib.suppress(UndecodableRecordError):
        decode(to_json(body), headers, APPENDED)


# --- old versions ----------------------------------------------------------------------------------------------------


class JobMoved(Event):
    """An event that stands at its third version, for this test alone."""

    version: ClassVar[int] = 3

    place: str


@pytest.fixture
def job_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EVENTS, "JobMoved", JobMoved)
    monkeypatch.setitem(upcasters.UPCASTERS, ("JobMoved", 1), lambda body: {"where": body["to"]})
    monkeypatch.setitem(upcasters.UPCASTERS, ("JobMoved", 2), lambda body: {"place": body["where"]})


@pytest.mark.usefixtures("job_moved")
@pytest.mark.parametrize(
    ("version", "body"), [(1, b'{"to": "here"}'), (2, b'{"where": "here"}'), (3, b'{"place": "here"}')]
)
def test_old_versions_are_lifted_step_by_step(version: int, body: bytes) -> None:
    headers = tampered("ce_type", f"piperoll.JobMoved.v{version}".encode())
    assert decode(body, headers, APPENDED).data == JobMoved(place="here")


@pytest.mark.usefixtures("job_moved")
@pytest.mark.parametrize("body", [b"[]", b"3", b"{", b"null"])
def test_an_old_body_that_is_not_an_object_is_undecodable(body: bytes) -> None:
    with pytest.raises(UndecodableRecordError):
        decode(body, tampered("ce_type", b"piperoll.JobMoved.v1"), APPENDED)


@pytest.mark.usefixtures("job_moved")
def test_a_missing_upcaster_is_a_fault_of_the_release_and_not_of_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(upcasters.UPCASTERS, ("JobMoved", 2))
    with pytest.raises(KeyError):
        decode(b'{"to": "here"}', tampered("ce_type", b"piperoll.JobMoved.v1"), APPENDED)


def test_a_claim_has_the_location_of_content_and_never_the_content() -> None:
    """The log must hold no content: of an event's fields only short names and numbers stand beside the claims."""
    for name, event in EVENTS.items():
        for field, info in event.model_fields.items():
            shape = str(info.annotation).replace("dict[str, int]", "numbers by name")
            assert "dict" not in shape, f"{name}.{field} could hold content"
    assert set(type(claim("x")).model_fields) == {"uri", "sha256", "size", "media_type"}


def test_every_event_names_its_writers() -> None:
    for event in EVENTS.values():
        assert event.writers
        assert set(event.writers) <= {"api", "worker", "notifier"}
    assert JobCreated.type_name() == "piperoll.JobCreated.v1"
